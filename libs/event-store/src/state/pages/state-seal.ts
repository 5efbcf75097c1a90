import { crc32 } from 'node:zlib';
import {
  BRANCH,
  Fault,
  LEAF,
  META_PAGES,
  bigValueOf,
  dataOf,
  eachChild,
  eachFreeRun,
  faultInFile,
  freeRootOf,
  isBig,
  nodesOf,
  numberOf,
  pageAt,
  readPage,
  rootImageOf,
  spaceImageOf,
  type Root,
} from './state-pages.js';

const TRANSACTION_BYTES = 8;

/** What the pages of one checkpoint are that nothing else vouches for. */
export interface TreeSeal {
  /** LMDB's number of the transaction, which every commit raises. */
  readonly transaction: number;
  /** CRC-32 over the root's description and every branch page with its number, in the order of the tree. */
  readonly checksum: number;
  readonly branches: number;
  readonly leaves: number;
  /** CRC-32 over what the meta page says of both trees and of the end of the file, and over all that lists the free pages. Older records have none. */
  readonly free?: number;
}

/**
 * The seal of the newest checkpoint in the file, which nothing may write meanwhile, or of the one before it, all of whose pages stay until the next transaction
 * begins; or what is wrong with the pages that it is of.
 */
export function sealOf(path: string, version: 'newest' | 'before' = 'newest'): TreeSeal | string {
  let seal: TreeSeal | undefined;
  const fault = faultInFile(path, version, (descriptor, root) => {
    let checksum = crc32(rootImageOf(root));
    let [branches, leaves] = [0, 0];
    walk(descriptor, root, {
      branch: (bytes) => {
        // The page's own number is in its header.
        checksum = crc32(bytes, checksum);
        branches++;
      },
      leaf: () => leaves++,
    });
    const { transaction } = root;
    seal = { transaction, checksum, branches, leaves, free: checksumOfFree(descriptor, root) };
  });
  return seal ?? fault ?? 'it has no pages';
}

/**
 * Undefined when no page is free that is in use, or twice; for a database whose list of free pages no seal vouches for. LMDB writes over a page that it takes
 * for free. Reads every page.
 */
export function faultOfFreePages(path: string): string | undefined {
  return faultInFile(path, 'newest', (descriptor, root) => {
    const taken = new Uint8Array(root.lastPage + 1);
    const take = (page: number, pages = 1): void => {
      if (page < META_PAGES || page + pages > taken.length || pages < 1)
        throw new Fault('a page of its tree lies beyond the end of its file');
      if (taken.subarray(page, page + pages).some((is) => is !== 0))
        throw new Fault('a page is free and in use, or used twice');
      taken.fill(1, page, page + pages);
    };
    for (const tree of [root, freeRootOf(root)]) {
      const takeLeaf = (page: number): void => {
        take(page);
        const leaf = pageAt(descriptor, tree, page, LEAF);
        for (const node of nodesOf(leaf)) {
          const big = bigValueOf(leaf, node);
          if (big !== undefined && big.pages > 0) take(big.page, big.pages);
          if (tree !== root) eachFreeRun(dataOf(descriptor, tree, leaf, node), take);
        }
      };
      walk(descriptor, tree, { branch: (bytes) => take(numberOf(bytes)), leaf: takeLeaf });
    }
  });
}

/**
 * What the pages take that transactions after this one have freed: LMDB gives them to nobody while that version is read. Of a file that nothing writes meanwhile. What is
 * damaged is not counted.
 */
export function bytesFreedAfter(path: string, transaction: number): number {
  let bytes = 0;
  faultInFile(path, 'newest', (descriptor, root) => {
    const free = freeRootOf(root);
    const take = (_page: number, pages = 1): void => void (bytes += pages * root.pageBytes);
    walk(descriptor, free, {
      branch: () => undefined,
      leaf: (page) => {
        const leaf = pageAt(descriptor, free, page, LEAF);
        for (const node of nodesOf(leaf)) {
          // The key is the number of the transaction that has freed them.
          if (node.key.length !== TRANSACTION_BYTES)
            throw new Fault('a list of its free pages is damaged');
          if (node.key.readBigUInt64LE(0) > transaction)
            eachFreeRun(dataOf(descriptor, free, leaf, node), take);
        }
      },
    });
  });
  return bytes;
}

function checksumOfFree(descriptor: number, root: Root): number {
  let checksum = crc32(spaceImageOf(root));
  const free = freeRootOf(root);
  walk(descriptor, free, {
    branch: (bytes) => (checksum = crc32(bytes, checksum)),
    leaf: (page) => {
      const leaf = pageAt(descriptor, free, page, LEAF);
      checksum = crc32(leaf, checksum);
      for (const node of nodesOf(leaf))
        if (isBig(node)) checksum = crc32(dataOf(descriptor, free, leaf, node), checksum);
    },
  });
  return checksum;
}

/**
 * Visits every branch, level by level from the root, and every leaf behind the branches above it. After each checkpoint, and with a million leaves: so it makes no
 * objects, and the bytes of a branch are the next one's as soon as it was visited.
 */
function walk(
  descriptor: number,
  root: Root,
  visit: {
    readonly branch: (bytes: Buffer) => void;
    readonly leaf: (page: number) => void;
  },
): void {
  if (root.depth === 1) visit.leaf(root.page);
  const bytes = Buffer.allocUnsafe(root.pageBytes);
  let level = [root.page];
  for (let depth = 1; depth < root.depth; depth++) {
    const below: number[] = [];
    const isLast = depth === root.depth - 1;
    const descend = (page: number): void => {
      if (isLast) visit.leaf(page);
      else below.push(page);
    };
    for (const page of level) {
      readPage(descriptor, root, page, BRANCH, bytes);
      visit.branch(bytes);
      eachChild(bytes, descend);
    }
    level = below;
  }
}

import * as fs from 'node:fs';
import { crc32 } from 'node:zlib';
import { CHECKSUM_BYTES } from '../model/state-entry.js';
import {
  BRANCH,
  Fault,
  LEAF,
  assertAsWritten,
  childOf,
  dataBytesOf,
  dataOf,
  faultIn,
  faultInFile,
  headOf,
  isBig,
  newestRoot,
  nodesOf,
  pageAt,
  pageBytesOf,
  roomOf,
  type Root,
  type TreeNode,
} from './state-pages.js';

/** Where a leaf is, and what the branches above it say of its keys: from `low` on, and below `high`. Undefined at the ends of the tree. */
export interface LeafPlace {
  readonly page: number;
  readonly low: Buffer | undefined;
  readonly high: Buffer | undefined;
}

/** A few megabytes; enough for all of them up to millions of entries. */
const BRANCHES_MAX = 256;

interface Branch {
  readonly bytes: Buffer;
  readonly nodes: readonly TreeNode[];
}

/** The tree of a database that is open and being written. */
export class StateTree {
  private readonly descriptor: number;
  private readonly pageBytes: number;
  /** The checkpoint that was looked at last. */
  private known: TreeVersion | undefined;

  constructor(path: string) {
    this.descriptor = fs.openSync(path, 'r');
    this.pageBytes = pageBytesOf(this.descriptor);
  }

  /**
   * Undefined when the key is truly absent from the newest checkpoint: the one leaf that would hold it was read whole, and every bit of it that a lookup
   * goes by is as it was written. Otherwise what is wrong. Relies on the branch pages, which the seal vouches for.
   */
  faultOfAbsence(key: Buffer): string | undefined {
    for (;;) {
      const tree = (this.known ??= this.newest());
      const fault = faultIn(() => {
        const nodes = tree.wholeNodes(tree.leafAt(key));
        if (nodes.some((node) => node.key.equals(key)))
          throw new Fault('a key is not found where it is');
      });
      // As long as this is the newest checkpoint, its pages are left alone. After the next, or where its meta page was read half-written, nothing that was found counts.
      const { meta } = newestRoot(this.descriptor, this.pageBytes);
      if (meta.equals(tree.root.meta)) return fault;
      this.known = undefined;
    }
  }

  /** The newest checkpoint, for whoever knows that none is committed meanwhile. */
  newest(): TreeVersion {
    return new TreeVersion(this.descriptor, newestRoot(this.descriptor, this.pageBytes));
  }

  close(): void {
    fs.closeSync(this.descriptor);
  }
}

/** The tree as one transaction has left it. */
export class TreeVersion {
  /** Branches that were read, by their pages: whoever asks for many keys reads each once. */
  private readonly branches = new Map<number, Branch>();
  private readonly descriptor: number;
  readonly root: Root;

  constructor(descriptor: number, root: Root) {
    this.descriptor = descriptor;
    this.root = root;
  }

  get isEmpty(): boolean {
    return this.root.depth === 0;
  }

  /** What the nodes of one page can take. */
  get roomBytes(): number {
    return roomOf(this.root);
  }

  /** The leaf that holds the key or would hold it; or the one that holds what comes directly before the key. */
  leafAt(key: Buffer, side: 'at' | 'before' = 'at'): LeafPlace {
    const above = side === 'at' ? 0 : -1;
    let { page } = this.root;
    let low: Buffer | undefined;
    let high: Buffer | undefined;
    for (let depth = 1; depth < this.root.depth; depth++) {
      const { bytes, nodes } = this.branch(page);
      // The key of the first node says nothing: it stands for everything below the second.
      let index = nodes.length - 1;
      while (index > 0 && Buffer.compare(nodes[index]?.key ?? key, key) > above) index--;
      const node = nodes[index];
      if (node === undefined) throw new Fault('a branch of its tree is empty');
      const from = index > 0 ? node.key : low;
      const to = nodes[index + 1]?.key ?? high;
      // A page that was handed out twice may be whole, and stand where it does not belong.
      if (isBelow(from, low) || isBelow(high, to))
        throw new Fault('the branches of its tree are out of order');
      [low, high] = [from, to];
      page = childOf(bytes, node);
    }
    return { page, low, high };
  }

  /** The nodes of the leaf. Every bit of it that LMDB goes by is as it was written. */
  wholeNodes({ page, low, high }: LeafPlace): TreeNode[] {
    const leaf = pageAt(this.descriptor, this.root, page, LEAF);
    assertAsWritten(this.root, leaf);
    const nodes = nodesOf(leaf);
    let last = low;
    let isFirst = true;
    for (const node of nodes) {
      const order = last === undefined ? 1 : Buffer.compare(node.key, last);
      if (isFirst ? order < 0 : order <= 0) throw new Fault('its keys are out of order');
      if (!this.isSound(leaf, node)) throw new Fault('an entry beside a missing key is damaged');
      last = node.key;
      isFirst = false;
    }
    if (last !== undefined && high !== undefined && Buffer.compare(last, high) >= 0)
      throw new Fault('its keys are out of order');
    return nodes;
  }

  /** What is stored under the key. Throws what `faultIn` takes when the leaf is not whole. */
  valueOf(key: Buffer): Buffer | undefined {
    const place = this.leafAt(key);
    const node = this.wholeNodes(place).find((candidate) => candidate.key.equals(key));
    if (node === undefined) return undefined;
    return dataOf(
      this.descriptor,
      this.root,
      pageAt(this.descriptor, this.root, place.page, LEAF),
      node,
    );
  }

  private branch(page: number): Branch {
    const known = this.branches.get(page);
    if (known !== undefined) return known;
    const bytes = pageAt(this.descriptor, this.root, page, BRANCH);
    const branch = { bytes, nodes: nodesOf(bytes) };
    this.branches.set(page, branch);
    const [oldest] = this.branches.keys();
    if (this.branches.size > BRANCHES_MAX && oldest !== undefined) this.branches.delete(oldest);
    return branch;
  }

  private isSound(leaf: Buffer, node: TreeNode): boolean {
    const bytes = dataBytesOf(leaf, node.at);
    if (bytes < CHECKSUM_BYTES || (node.flags !== 0 && !isBig(node))) return false;
    const data = dataOf(this.descriptor, this.root, leaf, node);
    return crc32(data.subarray(CHECKSUM_BYTES), crc32(headOf(leaf, node))) === data.readUInt32LE(0);
  }
}

/** What the newest checkpoint in the file holds under a key, or undefined: also when its leaf is not whole. Does not rely on what a seal vouches for. */
export function valueIn(path: string, key: Uint8Array): Buffer | undefined {
  let value: Buffer | undefined;
  faultInFile(path, 'newest', (descriptor, root) => {
    value = new TreeVersion(descriptor, root).valueOf(Buffer.from(key));
  });
  return value;
}

function isBelow(key: Buffer | undefined, bound: Buffer | undefined): boolean {
  return key !== undefined && bound !== undefined && Buffer.compare(key, bound) < 0;
}

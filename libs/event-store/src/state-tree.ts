import * as fs from 'node:fs';
import { crc32 } from 'node:zlib';
import { CHECKSUM_BYTES, KEY_LENGTH_BYTES } from './state-entry.js';

/*
 * LMDB's tree as it lies in the file, read without LMDB: its pages have no checksums, and one flipped bit makes it say that a key is not there. The
 * layouts are those of `mdb.c`, little-endian: a page header of 24 bytes, from the end of which the offsets of nodes count.
 */
const HEADER_BYTES = 24;
const NODE_BYTES = 8;
const BRANCH = 0x01;
const LEAF = 0x02;
const OVERFLOW = 0x04;
/** The flags that say what a page is; the others are of LMDB's bookkeeping. */
const KINDS = 0x6f;
/** Within the header of a page. */
const WRITTEN_BY_AT = 8;
const FLAGS_AT = 18;
const OVERFLOW_PAGES_AT = 20;
const LOWER_AT = 20;
const UPPER_AT = 22;
/** Within a node: the low part of its child's number or of its value's length first. */
const NODE_FLAGS_AT = 4;
const KEY_BYTES_AT = 6;
const CHILD_BYTES = 6;
/** Flag of a node: its value lies in pages of its own. The node holds the number of the first, that of the transaction, and how many they are. */
const BIG = 0x01;
const BIG_BYTES = 24;
const BIG_PAGES_AT = 16;
/** The first pages of the file. */
const META_PAGES = 2;
const PAGE_NUMBER_BYTES = 8;
/** Each node has an offset in front of the page. */
const OFFSET_BYTES = 2;

/** Within a meta page, behind its number. Two trees: of the free pages, whose description begins with the size of a page, and of the entries. */
const META_BYTES = 160;
/** All that LMDB keeps in a meta page, with its own note of the boot behind what is read here. */
const META_END = 168;
const PAGE_BYTES_AT = 48;
const FREE_AT = 48;
const MAIN_AT = 96;
/** Within the description of a tree. */
const DEPTH_AT = 6;
const ROOT_AT = 40;
const LAST_PAGE_AT = 144;
const TRANSACTION_AT = 152;

/** More levels than any tree has that fits into a file. */
const DEPTH_MAX = 16;

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

interface Root {
  readonly meta: Buffer;
  /** 0 or 1. */
  readonly metaPage: number;
  readonly transaction: number;
  readonly pageBytes: number;
  readonly depth: number;
  readonly page: number;
  readonly lastPage: number;
}

export interface TreeNode {
  readonly at: number;
  readonly flags: number;
  readonly key: Buffer;
  /** What it takes of its page. */
  readonly bytes: number;
}

/** Where a leaf is, and what the branches above it say of its keys: from `low` on, and below `high`. Undefined at the ends of the tree. */
export interface LeafPlace {
  readonly page: number;
  readonly low: Buffer | undefined;
  readonly high: Buffer | undefined;
}

interface Branch {
  readonly page: number;
  readonly bytes: Buffer;
  readonly nodes: readonly TreeNode[];
}

/** What the tree is not; becomes a text in `faultIn`. */
class Fault extends Error {}

/** What is wrong, as far as the check meets it. */
export function faultIn(check: () => void): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof Fault) return error.message;
    throw error;
  }
}

/**
 * The seal of the newest checkpoint in the file, which nothing may write meanwhile, or of the one before it, all of whose pages stay until the next transaction
 * begins; or what is wrong with the pages that it is of.
 */
export function sealOf(path: string, version: 'newest' | 'before' = 'newest'): TreeSeal | string {
  let seal: TreeSeal | undefined;
  const fault = faultInFile(path, version, (descriptor, root) => {
    let checksum = crc32(root.meta.subarray(MAIN_AT, LAST_PAGE_AT));
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
          const at = dataAtOf(node);
          const pages = node.flags === BIG ? Number(leaf.readBigUInt64LE(at + BIG_PAGES_AT)) : 0;
          if (pages > 0) take(Number(leaf.readBigUInt64LE(at)), pages);
          if (tree !== root) freeRuns(dataOf(descriptor, tree, leaf, node), take);
        }
      };
      walk(descriptor, tree, { branch: (bytes) => take(numberOf(bytes)), leaf: takeLeaf });
    }
  });
}

/** What the newest checkpoint in the file holds under a key, or undefined: also when its leaf is not whole. Does not rely on what a seal vouches for. */
export function valueIn(path: string, key: Uint8Array): Buffer | undefined {
  let value: Buffer | undefined;
  faultInFile(path, 'newest', (descriptor, root) => {
    value = new TreeVersion(descriptor, root).valueOf(Buffer.from(key));
  });
  return value;
}

/**
 * Makes the checkpoint before the newest the newest again, as LMDB's own `MDB_PREVSNAPSHOT` does: its meta page is copied over the newer one. Nothing may have the
 * file open for writing. One write within one sector: a crash leaves the newest checkpoint or the one before, both whole.
 */
export function takeBackNewest(path: string): void {
  const descriptor = fs.openSync(path, 'r+');
  try {
    const pageBytes = pageBytesOf(descriptor);
    const [newest, before] = rootsIn(descriptor, pageBytes);
    const meta = Buffer.allocUnsafe(META_END - PAGE_NUMBER_BYTES);
    const from = before.metaPage * pageBytes + PAGE_NUMBER_BYTES;
    if (fs.readSync(descriptor, meta, 0, meta.length, from) < meta.length)
      throw new Fault('it has no meta pages');
    fs.writeSync(descriptor, meta, 0, meta.length, newest.metaPage * pageBytes + PAGE_NUMBER_BYTES);
    // Before LMDB maps it and commits on top of it.
    fs.fdatasyncSync(descriptor);
    if (newestRoot(descriptor, pageBytes).transaction !== before.transaction)
      throw new Fault('its meta page could not be taken back');
  } finally {
    fs.closeSync(descriptor);
  }
}

/** One of the lists of free pages: how many numbers, and those. 0 is none; a negative one says how many pages follow one another from the next on. */
function freeRuns(list: Buffer, take: (page: number, pages?: number) => void): void {
  const numberAt = (index: number): number =>
    Number(list.readBigInt64LE(index * PAGE_NUMBER_BYTES));
  const numbers = numberAt(0);
  if (numbers < 0 || (numbers + 1) * PAGE_NUMBER_BYTES > list.length)
    throw new Fault('a list of its free pages is damaged');
  for (let index = 1; index <= numbers; index++) {
    const number = numberAt(index);
    if (number > 0) take(number);
    // The length of a run may stand at the end of its list, without a page.
    else if (number < 0 && index < numbers) take(numberAt(++index), -number);
  }
}

function checksumOfFree(descriptor: number, root: Root): number {
  let checksum = crc32(root.meta.subarray(FREE_AT, TRANSACTION_AT));
  const free = freeRootOf(root);
  walk(descriptor, free, {
    branch: (bytes) => (checksum = crc32(bytes, checksum)),
    leaf: (page) => {
      const leaf = pageAt(descriptor, free, page, LEAF);
      checksum = crc32(leaf, checksum);
      for (const node of nodesOf(leaf))
        if (node.flags === BIG) checksum = crc32(dataOf(descriptor, free, leaf, node), checksum);
    },
  });
  return checksum;
}

function freeRootOf(root: Root): Root {
  return { ...root, ...treeAt(root.meta, FREE_AT) };
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

function faultInFile(
  path: string,
  version: 'newest' | 'before',
  check: (descriptor: number, root: Root) => void,
): string | undefined {
  const descriptor = fs.openSync(path, 'r');
  try {
    return faultIn(() => {
      const [newest, before] = rootsIn(descriptor, pageBytesOf(descriptor));
      check(descriptor, version === 'newest' ? newest : before);
    });
  } finally {
    fs.closeSync(descriptor);
  }
}

/** The tree of a database that is open and being written. */
export class StateTree {
  private readonly descriptor: number;
  private readonly pageBytes: number;

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
      const root = newestRoot(this.descriptor, this.pageBytes);
      const fault = faultIn(() => {
        const tree = new TreeVersion(this.descriptor, root);
        const nodes = tree.wholeNodes(tree.leafAt(key));
        if (nodes.some((node) => node.key.equals(key)))
          throw new Fault('a key is not found where it is');
      });
      // A checkpoint that is committed meanwhile leaves the pages of the one before alone, and the next cannot begin before this thread has heard of
      // the first. But its meta page may have been read half-written.
      const { meta } = newestRoot(this.descriptor, this.pageBytes);
      if (meta.equals(root.meta)) return fault;
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
  /** The branches above the leaf that was looked for last: whoever asks for one key after another reads each branch once. */
  private readonly path: Branch[] = [];
  private readonly descriptor: number;
  private readonly root: Root;

  constructor(descriptor: number, root: Root) {
    this.descriptor = descriptor;
    this.root = root;
  }

  get isEmpty(): boolean {
    return this.root.depth === 0;
  }

  /** What the nodes of one page can take. */
  get roomBytes(): number {
    return this.root.pageBytes - HEADER_BYTES;
  }

  /** The leaf that holds the key or would hold it; or the one that holds what comes directly before the key. */
  leafAt(key: Buffer, side: 'at' | 'before' = 'at'): LeafPlace {
    const above = side === 'at' ? 0 : -1;
    let { page } = this.root;
    let low: Buffer | undefined;
    let high: Buffer | undefined;
    for (let depth = 1; depth < this.root.depth; depth++) {
      const { bytes, nodes } = this.branch(depth, page);
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
    // LMDB passes over the page that it made from this one, or writes over this one, for bits that no page in the file has.
    if (leaf.readUInt16LE(FLAGS_AT) !== LEAF) throw new Fault('a page is damaged');
    assertWrittenBefore(this.root, leaf);
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

  private branch(depth: number, page: number): Branch {
    const known = this.path[depth];
    if (known?.page === page) return known;
    const bytes = pageAt(this.descriptor, this.root, page, BRANCH);
    return (this.path[depth] = { page, bytes, nodes: nodesOf(bytes) });
  }

  private isSound(leaf: Buffer, node: TreeNode): boolean {
    const bytes = dataBytesOf(leaf, node.at);
    if (bytes < CHECKSUM_BYTES || (node.flags !== 0 && node.flags !== BIG)) return false;
    const data = dataOf(this.descriptor, this.root, leaf, node);
    // The length of the key stands in front of it, as in the entry's image.
    const head = leaf.subarray(node.at + NODE_BYTES - KEY_LENGTH_BYTES, dataAtOf(node));
    return crc32(data.subarray(CHECKSUM_BYTES), crc32(head)) === data.readUInt32LE(0);
  }
}

function isBelow(key: Buffer | undefined, bound: Buffer | undefined): boolean {
  return key !== undefined && bound !== undefined && Buffer.compare(key, bound) < 0;
}

/** The value of a node, wherever it lies. */
function dataOf(descriptor: number, root: Root, leaf: Buffer, node: TreeNode): Buffer {
  const { pageBytes, lastPage } = root;
  const bytes = dataBytesOf(leaf, node.at);
  const at = dataAtOf(node);
  if (node.flags !== BIG) return leaf.subarray(at, at + bytes);
  const page = Number(leaf.readBigUInt64LE(at));
  const pages = Number(leaf.readBigUInt64LE(at + BIG_PAGES_AT));
  if (page + pages > lastPage + 1 || HEADER_BYTES + bytes > pages * pageBytes)
    throw new Fault('a value lies beyond the end of its file');
  const buffer = Buffer.allocUnsafe(HEADER_BYTES + bytes);
  const read = fs.readSync(descriptor, buffer, 0, buffer.length, page * pageBytes);
  if (read < buffer.length) throw new Fault('a value lies beyond the end of its file');
  assertKind(buffer, page, OVERFLOW);
  // When the value goes, so many pages are given to whoever asks next.
  if (buffer.readUInt32LE(OVERFLOW_PAGES_AT) !== pages)
    throw new Fault('a value has not the pages that it should have');
  assertWrittenBefore(root, buffer);
  return buffer.subarray(HEADER_BYTES);
}

function pageBytesOf(descriptor: number): number {
  const meta = Buffer.allocUnsafe(META_BYTES);
  if (fs.readSync(descriptor, meta, 0, META_BYTES, 0) < META_BYTES)
    throw new Fault('it has no meta page');
  const pageBytes = meta.readUInt32LE(PAGE_BYTES_AT);
  if (pageBytes < 512 || pageBytes > 65_536) throw new Fault('its meta pages are damaged');
  return pageBytes;
}

function newestRoot(descriptor: number, pageBytes: number): Root {
  return rootsIn(descriptor, pageBytes)[0];
}

/** The newest and the one before, as LMDB chooses: the second meta page is the newest only if its transaction is later. */
function rootsIn(descriptor: number, pageBytes: number): readonly [newest: Root, before: Root] {
  const both = Buffer.allocUnsafe(pageBytes + META_BYTES);
  if (fs.readSync(descriptor, both, 0, both.length, 0) < both.length)
    throw new Fault('it has no meta pages');
  const first = rootOf(both.subarray(0, META_BYTES), 0, pageBytes);
  const second = rootOf(both.subarray(pageBytes), 1, pageBytes);
  return second.transaction > first.transaction ? [second, first] : [first, second];
}

function rootOf(meta: Buffer, metaPage: number, pageBytes: number): Root {
  return {
    ...{ meta, metaPage },
    transaction: Number(meta.readBigUInt64LE(TRANSACTION_AT)),
    pageBytes,
    ...treeAt(meta, MAIN_AT),
    lastPage: Number(meta.readBigUInt64LE(LAST_PAGE_AT)),
  };
}

function treeAt(meta: Buffer, at: number): Pick<Root, 'depth' | 'page'> {
  const page = Number(meta.readBigUInt64LE(at + ROOT_AT));
  return { depth: meta.readUInt16LE(at + DEPTH_AT), page };
}

function pageAt(descriptor: number, root: Root, page: number, kind: number): Buffer {
  const bytes = Buffer.allocUnsafe(root.pageBytes);
  readPage(descriptor, root, page, kind, bytes);
  return bytes;
}

function readPage(descriptor: number, root: Root, page: number, kind: number, into: Buffer): void {
  const { pageBytes, lastPage, depth } = root;
  if (page > lastPage || depth > DEPTH_MAX) throw new Fault('its tree leads out of its file');
  if (fs.readSync(descriptor, into, 0, pageBytes, page * pageBytes) < pageBytes)
    throw new Fault('its tree leads out of its file');
  assertKind(into, page, kind);
}

function assertKind(bytes: Buffer, page: number, kind: number): void {
  if (numberOf(bytes) !== page || (bytes.readUInt16LE(FLAGS_AT) & KINDS) !== kind)
    throw new Fault('a page of its tree is not the one that it should be');
}

/** What a page says to be of a later transaction is changed by LMDB in its place, where the checkpoint before still needs it. */
function assertWrittenBefore({ transaction }: Root, page: Buffer): void {
  if (Number(page.readBigUInt64LE(WRITTEN_BY_AT)) > transaction)
    throw new Fault('a page is of a later transaction than its tree');
}

function numberOf(page: Buffer): number {
  return Number(page.readBigUInt64LE(0));
}

/** What the nodes of a branch lead to: checked like any page's nodes, without an object for each. */
function eachChild(bytes: Buffer, descend: (page: number) => void): void {
  const { lower, upper } = boundsOf(bytes);
  let used = 0;
  for (let index = 0; index < lower; index += OFFSET_BYTES) {
    const at = nodeAt(bytes, index, upper);
    used += evenBytes(NODE_BYTES + bytes.readUInt16LE(at + KEY_BYTES_AT));
    descend(bytes.readUIntLE(at, CHILD_BYTES));
  }
  assertFilled(bytes, used, upper);
}

/** The nodes of a page. They fill it from its end without a gap, so a wrong number of them, or a wrong length, does not add up. */
function nodesOf(bytes: Buffer): TreeNode[] {
  const isLeaf = (bytes.readUInt16LE(FLAGS_AT) & LEAF) !== 0;
  const { lower, upper } = boundsOf(bytes);
  const nodes: TreeNode[] = [];
  let used = 0;
  for (let index = 0; index < lower; index += OFFSET_BYTES) {
    const at = nodeAt(bytes, index, upper);
    const flags = bytes.readUInt16LE(at + NODE_FLAGS_AT);
    const keyEnd = at + NODE_BYTES + bytes.readUInt16LE(at + KEY_BYTES_AT);
    const dataBytes = flags === BIG ? BIG_BYTES : dataBytesOf(bytes, at);
    const end = isLeaf ? keyEnd + dataBytes : keyEnd;
    if (end > bytes.length) throw new Fault('a node lies outside its page');
    const nodeBytes = evenBytes(end - at);
    used += nodeBytes;
    const key = bytes.subarray(at + NODE_BYTES, keyEnd);
    nodes.push({ at, flags, key, bytes: nodeBytes + OFFSET_BYTES });
  }
  assertFilled(bytes, used, upper);
  return nodes;
}

/** Where the offsets of the nodes end, and where the nodes begin. */
function boundsOf(bytes: Buffer): { readonly lower: number; readonly upper: number } {
  const [lower, upper] = [bytes.readUInt16LE(LOWER_AT), bytes.readUInt16LE(UPPER_AT)];
  if (lower % OFFSET_BYTES !== 0 || lower > upper || upper > bytes.length - HEADER_BYTES)
    throw new Fault('a page is damaged');
  return { lower, upper };
}

function nodeAt(bytes: Buffer, index: number, upper: number): number {
  const at = HEADER_BYTES + bytes.readUInt16LE(HEADER_BYTES + index);
  if (at < HEADER_BYTES + upper || at + NODE_BYTES > bytes.length)
    throw new Fault('a node lies outside its page');
  return at;
}

function assertFilled(bytes: Buffer, used: number, upper: number): void {
  if (used !== bytes.length - HEADER_BYTES - upper)
    throw new Fault('a page does not hold what it should');
}

function evenBytes(bytes: number): number {
  return (bytes + 1) & ~1;
}

function dataAtOf({ at, key }: TreeNode): number {
  return at + NODE_BYTES + key.length;
}

function dataBytesOf(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at);
}

/** 48 bits: what are the flags of a leaf's node are the top of the number here. */
function childOf(bytes: Buffer, { at }: TreeNode): number {
  return bytes.readUIntLE(at, CHILD_BYTES);
}

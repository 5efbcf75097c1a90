/*
 * This folder reads LMDB's file without LMDB. LMDB's pages have no checksums: one flipped bit makes it say that a key is not there, and an idempotency key
 * that is not found moves money twice. Until a process has read the whole database through, these files stand between such a bit and an answer:
 *
 * - `state-tree.ts` confirms that a key is absent, in the one leaf that would hold it;
 * - `state-changes.ts` verifies the leaves that a checkpoint is about to change or move entries between;
 * - `state-seal.ts` vouches for the pages that no entry's checksum covers, branches and free lists, from one checkpoint to the next start.
 */
import * as fs from 'node:fs';
import { KEY_LENGTH_BYTES } from '../model/state-entry.js';
import { DAMAGED } from '../model/state-fault.js';

/*
 * The layouts are those of `mdb.c`, little-endian: a page header of 24 bytes, from the end of which the offsets of nodes count.
 */
const HEADER_BYTES = 24;
const NODE_BYTES = 8;
export const BRANCH = 0x01;
export const LEAF = 0x02;
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
export const META_PAGES = 2;
const PAGE_NUMBER_BYTES = 8;
/** Each node has an offset in front of the page. */
const OFFSET_BYTES = 2;

/** Within a meta page, behind its number. Two trees: of the free pages, whose description begins with the size of a page, and of the entries. */
const META_BYTES = 160;
/** All that LMDB keeps in a meta page, with its own note of the boot behind what is read here. */
const META_END = 168;
const META_MAGIC = 0xbeefc0de;
const MAGIC_AT = 24;
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

/** What a meta page says of one of the trees in the file. */
export interface Root {
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

/** What the tree is not; becomes a text in `faultIn`. */
export class Fault extends Error {
  readonly code = DAMAGED;
}

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

export function faultInFile(
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

export function pageBytesOf(descriptor: number): number {
  const meta = Buffer.allocUnsafe(META_BYTES);
  if (fs.readSync(descriptor, meta, 0, META_BYTES, 0) < META_BYTES)
    throw new Fault('it has no meta page');
  const pageBytes = meta.readUInt32LE(PAGE_BYTES_AT);
  if (!isPageSize(pageBytes)) throw new Fault('its meta pages are damaged');
  return pageBytes;
}

/** What the file must hold at least, for whichever of its meta pages is the newer one; undefined when either is damaged. */
export function neededBytes(descriptor: number): number | undefined {
  const first = metaAt(descriptor, 0);
  const second = first && metaAt(descriptor, first.pageBytes);
  if (first === undefined || first.pageBytes !== second?.pageBytes) return undefined;
  return (Math.max(first.lastPage, second.lastPage) + 1) * first.pageBytes;
}

function metaAt(descriptor: number, at: number): Pick<Root, 'pageBytes' | 'lastPage'> | undefined {
  const meta = Buffer.alloc(META_BYTES);
  if (fs.readSync(descriptor, meta, 0, META_BYTES, at) < META_BYTES) return undefined;
  if (meta.readUInt32LE(MAGIC_AT) !== META_MAGIC) return undefined;
  const pageBytes = meta.readUInt32LE(PAGE_BYTES_AT);
  if (!isPageSize(pageBytes)) return undefined;
  return { pageBytes, lastPage: Number(meta.readBigUInt64LE(LAST_PAGE_AT)) };
}

function isPageSize(bytes: number): boolean {
  return bytes >= 512 && bytes <= 65_536;
}

export function newestRoot(descriptor: number, pageBytes: number): Root {
  return rootsIn(descriptor, pageBytes)[0];
}

/** The newest and the one before, as LMDB chooses: the second meta page is the newest only if its transaction is later. */
export function rootsIn(
  descriptor: number,
  pageBytes: number,
): readonly [newest: Root, before: Root] {
  const both = Buffer.allocUnsafe(pageBytes + META_BYTES);
  if (fs.readSync(descriptor, both, 0, both.length, 0) < both.length)
    throw new Fault('it has no meta pages');
  const first = rootOf(both.subarray(0, META_BYTES), 0, pageBytes);
  const second = rootOf(both.subarray(pageBytes), 1, pageBytes);
  return second.transaction > first.transaction ? [second, first] : [first, second];
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

export function freeRootOf(root: Root): Root {
  return { ...root, ...treeAt(root.meta, FREE_AT) };
}

/** What the meta page says of the tree of entries. */
export function rootImageOf({ meta }: Root): Buffer {
  return meta.subarray(MAIN_AT, LAST_PAGE_AT);
}

/** What the meta page says of both trees and of the end of the file. */
export function spaceImageOf({ meta }: Root): Buffer {
  return meta.subarray(FREE_AT, TRANSACTION_AT);
}

/** What the nodes of one page can take, in bytes. */
export function roomOf({ pageBytes }: Root): number {
  return pageBytes - HEADER_BYTES;
}

export function pageAt(descriptor: number, root: Root, page: number, kind: number): Buffer {
  const bytes = Buffer.allocUnsafe(root.pageBytes);
  readPage(descriptor, root, page, kind, bytes);
  return bytes;
}

export function readPage(
  descriptor: number,
  root: Root,
  page: number,
  kind: number,
  into: Buffer,
): void {
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

/** LMDB passes over the page that it made from a leaf, or writes over the leaf, for bits that no page in the file has. */
export function assertAsWritten(root: Root, leaf: Buffer): void {
  if (leaf.readUInt16LE(FLAGS_AT) !== LEAF) throw new Fault('a page is damaged');
  assertWrittenBefore(root, leaf);
}

/** What a page says to be of a later transaction is changed by LMDB in its place, where the checkpoint before still needs it. */
function assertWrittenBefore({ transaction }: Root, page: Buffer): void {
  if (Number(page.readBigUInt64LE(WRITTEN_BY_AT)) > transaction)
    throw new Fault('a page is of a later transaction than its tree');
}

export function numberOf(page: Buffer): number {
  return Number(page.readBigUInt64LE(0));
}

/** The nodes of a page. They fill it from its end without a gap, so a wrong number of them, or a wrong length, does not add up. */
export function nodesOf(bytes: Buffer): TreeNode[] {
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

/** What the nodes of a branch lead to: checked like any page's nodes, without an object for each. */
export function eachChild(bytes: Buffer, descend: (page: number) => void): void {
  const { lower, upper } = boundsOf(bytes);
  let used = 0;
  for (let index = 0; index < lower; index += OFFSET_BYTES) {
    const at = nodeAt(bytes, index, upper);
    used += evenBytes(NODE_BYTES + bytes.readUInt16LE(at + KEY_BYTES_AT));
    descend(bytes.readUIntLE(at, CHILD_BYTES));
  }
  assertFilled(bytes, used, upper);
}

/** 48 bits: what are the flags of a leaf's node are the top of the number here. */
export function childOf(bytes: Buffer, { at }: TreeNode): number {
  return bytes.readUIntLE(at, CHILD_BYTES);
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

/** The key with its length in front, as in the image of an entry. */
export function headOf(leaf: Buffer, node: TreeNode): Buffer {
  return leaf.subarray(node.at + NODE_BYTES - KEY_LENGTH_BYTES, dataAtOf(node));
}

/** The value of a node, wherever it lies. */
export function dataOf(descriptor: number, root: Root, leaf: Buffer, node: TreeNode): Buffer {
  const { pageBytes, lastPage } = root;
  const bytes = dataBytesOf(leaf, node.at);
  const big = bigValueOf(leaf, node);
  if (big === undefined) return leaf.subarray(dataAtOf(node), dataAtOf(node) + bytes);
  const { page, pages } = big;
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

export function dataBytesOf(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at);
}

function dataAtOf({ at, key }: TreeNode): number {
  return at + NODE_BYTES + key.length;
}

/** Whether the value lies in pages of its own. */
export function isBig({ flags }: TreeNode): boolean {
  return flags === BIG;
}

/** The pages of a value that has its own: the first, and how many. */
export function bigValueOf(
  leaf: Buffer,
  node: TreeNode,
): { readonly page: number; readonly pages: number } | undefined {
  if (!isBig(node)) return undefined;
  const at = dataAtOf(node);
  const [page, pages] = [leaf.readBigUInt64LE(at), leaf.readBigUInt64LE(at + BIG_PAGES_AT)];
  return { page: Number(page), pages: Number(pages) };
}

/** One of the lists of free pages: how many numbers, and those. 0 is none; a negative one says how many pages follow one another from the next on. */
export function eachFreeRun(list: Buffer, take: (page: number, pages?: number) => void): void {
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

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
/** Flag of a node: its value lies in pages of its own. */
const BIG = 0x01;
const BIG_BYTES = 24;

/** Within a meta page. */
const META_BYTES = 160;
const PAGE_BYTES_AT = 48;
const MAIN_AT = 96;
const DEPTH_AT = 102;
const ROOT_AT = 136;
const LAST_PAGE_AT = 144;
const TRANSACTION_AT = 152;

/** More levels than any tree has that fits into a file. */
const DEPTH_MAX = 16;

/** What the branch pages of one checkpoint are. */
export interface TreeSeal {
  /** LMDB's number of the transaction, which every commit raises. */
  readonly transaction: number;
  /** CRC-32 over the root's description and every branch page with its number, in the order of the tree. */
  readonly checksum: number;
  readonly branches: number;
  readonly leaves: number;
}

interface Root {
  readonly meta: Buffer;
  readonly transaction: number;
  readonly pageBytes: number;
  readonly depth: number;
  readonly page: number;
  readonly lastPage: number;
}

interface Node {
  readonly at: number;
  readonly flags: number;
  readonly key: Buffer;
}

/** What the tree is not; never leaves this file. */
class Fault extends Error {}

/** The seal of the newest checkpoint in the file, which nothing may write meanwhile; or what is wrong with its branch pages. */
export function sealOf(path: string): TreeSeal | string {
  const descriptor = fs.openSync(path, 'r');
  try {
    const root = newestRoot(descriptor, pageBytesOf(descriptor));
    let checksum = crc32(root.meta.subarray(MAIN_AT, LAST_PAGE_AT));
    let level = [root.page];
    let branches = 0;
    for (let depth = 1; depth < root.depth; depth++) {
      const below: number[] = [];
      for (const page of level) {
        const bytes = pageAt(descriptor, root, page, BRANCH);
        // The page's own number is in its header.
        checksum = crc32(bytes, checksum);
        for (const node of nodesOf(bytes)) below.push(childOf(bytes, node));
      }
      branches += level.length;
      level = below;
    }
    return { transaction: root.transaction, checksum, branches, leaves: level.length };
  } catch (error) {
    if (error instanceof Fault) return error.message;
    throw error;
  } finally {
    fs.closeSync(descriptor);
  }
}

/** The tree of a database that is open and being written, for whoever has been told that a key is not there. */
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
      const fault = this.faultIn(root, key);
      // A checkpoint that is committed meanwhile leaves the pages of the one before alone, and the next cannot begin before this thread has heard of
      // the first. But its meta page may have been read half-written.
      const { meta } = newestRoot(this.descriptor, this.pageBytes);
      if (meta.equals(root.meta)) return fault;
    }
  }

  close(): void {
    fs.closeSync(this.descriptor);
  }

  private faultIn(root: Root, key: Buffer): string | undefined {
    try {
      let { page } = root;
      let low: Buffer | undefined;
      let high: Buffer | undefined;
      for (let depth = 1; depth < root.depth; depth++) {
        const bytes = pageAt(this.descriptor, root, page, BRANCH);
        const nodes = nodesOf(bytes);
        // The key of the first node says nothing: it stands for everything below the second.
        let index = nodes.length - 1;
        while (index > 0 && Buffer.compare(nodes[index]?.key ?? key, key) > 0) index--;
        const node = nodes[index];
        if (node === undefined) return 'a branch of its tree is empty';
        if (index > 0) low = node.key;
        high = nodes[index + 1]?.key ?? high;
        page = childOf(bytes, node);
      }
      const leaf = pageAt(this.descriptor, root, page, LEAF);
      let last = low;
      let isFirst = true;
      for (const node of nodesOf(leaf)) {
        const order = last === undefined ? 1 : Buffer.compare(node.key, last);
        if (isFirst ? order < 0 : order <= 0) return 'its keys are out of order';
        if (node.key.equals(key)) return 'a key is not found where it is';
        if (!this.isSound(root, leaf, node)) return 'an entry beside a missing key is damaged';
        last = node.key;
        isFirst = false;
      }
      if (last !== undefined && high !== undefined && Buffer.compare(last, high) >= 0)
        return 'its keys are out of order';
      return undefined;
    } catch (error) {
      if (error instanceof Fault) return error.message;
      throw error;
    }
  }

  private isSound(root: Root, leaf: Buffer, { at, flags, key }: Node): boolean {
    const bytes = dataBytesOf(leaf, at);
    const dataAt = at + NODE_BYTES + key.length;
    if (bytes < CHECKSUM_BYTES || (flags !== 0 && flags !== BIG)) return false;
    const data =
      flags === 0
        ? leaf.subarray(dataAt, dataAt + bytes)
        : this.overflow(root, Number(leaf.readBigUInt64LE(dataAt)), bytes);
    // The length of the key stands in front of it, as in the entry's image.
    const head = leaf.subarray(at + NODE_BYTES - KEY_LENGTH_BYTES, dataAt);
    return crc32(data.subarray(CHECKSUM_BYTES), crc32(head)) === data.readUInt32LE(0);
  }

  private overflow(root: Root, page: number, bytes: number): Buffer {
    if (page > root.lastPage || bytes > (root.lastPage + 1 - page) * root.pageBytes - HEADER_BYTES)
      throw new Fault('a value lies beyond the end of its file');
    const buffer = Buffer.allocUnsafe(HEADER_BYTES + bytes);
    const read = fs.readSync(this.descriptor, buffer, 0, buffer.length, page * root.pageBytes);
    if (read < buffer.length) throw new Fault('a value lies beyond the end of its file');
    assertKind(buffer, page, OVERFLOW);
    return buffer.subarray(HEADER_BYTES);
  }
}

function pageBytesOf(descriptor: number): number {
  const meta = Buffer.allocUnsafe(META_BYTES);
  if (fs.readSync(descriptor, meta, 0, META_BYTES, 0) < META_BYTES)
    throw new Fault('it has no meta page');
  const pageBytes = meta.readUInt32LE(PAGE_BYTES_AT);
  if (pageBytes < 512 || pageBytes > 65_536) throw new Fault('its meta pages are damaged');
  return pageBytes;
}

/** As LMDB chooses: the second meta page only if its transaction is later. */
function newestRoot(descriptor: number, pageBytes: number): Root {
  const both = Buffer.allocUnsafe(pageBytes + META_BYTES);
  if (fs.readSync(descriptor, both, 0, both.length, 0) < both.length)
    throw new Fault('it has no meta pages');
  const [first, second] = [both.subarray(0, META_BYTES), both.subarray(pageBytes)];
  const isSecond = second.readBigUInt64LE(TRANSACTION_AT) > first.readBigUInt64LE(TRANSACTION_AT);
  const meta = isSecond ? second : first;
  return {
    meta,
    transaction: Number(meta.readBigUInt64LE(TRANSACTION_AT)),
    pageBytes,
    depth: meta.readUInt16LE(DEPTH_AT),
    page: Number(meta.readBigUInt64LE(ROOT_AT)),
    lastPage: Number(meta.readBigUInt64LE(LAST_PAGE_AT)),
  };
}

function pageAt(descriptor: number, root: Root, page: number, kind: number): Buffer {
  const { pageBytes, lastPage, depth } = root;
  if (page > lastPage || depth > DEPTH_MAX) throw new Fault('its tree leads out of its file');
  const bytes = Buffer.allocUnsafe(pageBytes);
  if (fs.readSync(descriptor, bytes, 0, pageBytes, page * pageBytes) < pageBytes)
    throw new Fault('its tree leads out of its file');
  assertKind(bytes, page, kind);
  return bytes;
}

function assertKind(bytes: Buffer, page: number, kind: number): void {
  if (Number(bytes.readBigUInt64LE(0)) !== page || (bytes.readUInt16LE(18) & KINDS) !== kind)
    throw new Fault('a page of its tree is not the one that it should be');
}

/** The nodes of a page. They fill it from its end without a gap, so a wrong number of them, or a wrong length, does not add up. */
function nodesOf(bytes: Buffer): Node[] {
  const isLeaf = (bytes.readUInt16LE(18) & LEAF) !== 0;
  const [lower, upper] = [bytes.readUInt16LE(20), bytes.readUInt16LE(22)];
  const room = bytes.length - HEADER_BYTES;
  if (lower % 2 !== 0 || lower > upper || upper > room) throw new Fault('a page is damaged');
  const nodes: Node[] = [];
  let used = 0;
  for (let index = 0; index < lower; index += 2) {
    const at = HEADER_BYTES + bytes.readUInt16LE(HEADER_BYTES + index);
    if (at < HEADER_BYTES + upper || at + NODE_BYTES > bytes.length)
      throw new Fault('a node lies outside its page');
    const flags = bytes.readUInt16LE(at + 4);
    const keyEnd = at + NODE_BYTES + bytes.readUInt16LE(at + 6);
    const dataBytes = flags === BIG ? BIG_BYTES : dataBytesOf(bytes, at);
    const end = isLeaf ? keyEnd + dataBytes : keyEnd;
    if (end > bytes.length) throw new Fault('a node lies outside its page');
    used += (end - at + 1) & ~1;
    nodes.push({ at, flags, key: bytes.subarray(at + NODE_BYTES, keyEnd) });
  }
  if (used !== room - upper) throw new Fault('a page does not hold what it should');
  return nodes;
}

function dataBytesOf(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at);
}

/** 48 bits: what are the flags of a leaf's node are the top of the number here. */
function childOf(bytes: Buffer, { at }: Node): number {
  return bytes.readUIntLE(at, 6);
}

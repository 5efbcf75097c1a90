import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { crc32 } from 'node:zlib';
import { StateDigest } from '../model/state-entry.js';
import { type StateMark, parseMark } from '../model/state-mark.js';

/*
 * A snapshot: one checkpoint in one file. `docs/state-format.md` is the authority.
 *
 *   magic (8 bytes)
 *   blocks: type u8, three zeros, bodyBytes u32, crc32 u32 of the body, body
 *     type 1, once and first: the mark as JSON
 *     type 2: entries, each its image's length as u32 and its image
 *     type 3, once and last: SHA-256 of everything before this block
 */
const MAGIC = Buffer.from('HFSTATE1', 'latin1');
const BLOCK_HEADER_BYTES = 12;
const MARK_BLOCK = 1;
const ENTRIES_BLOCK = 2;
const END_BLOCK = 3;
/** A block ends after this many bytes; one larger entry may go beyond. */
const BLOCK_BYTES = 256 * 1024;
/** No entry comes near this; a length beyond it is damage, and is not trusted with memory. */
const BLOCK_BYTES_MAX = 64 * 1024 * 1024;
const HASH_BYTES = 32;
const IMAGE_LENGTH_BYTES = 4;

/**
 * Writes one snapshot into the empty file of a `SnapshotDraft`: `add` in the order of the keys, then `seal`. Whoever has verified the file gives it its name.
 */
export class SnapshotWriter {
  bytes = 0;
  private readonly descriptor: number;
  private readonly hash = createHash('sha256');
  private pending: Uint8Array[] = [];
  private pendingBytes = 0;
  private sealed = false;

  constructor(path: string, mark: StateMark) {
    this.descriptor = fs.openSync(path, 'r+');
    try {
      this.write(MAGIC);
      this.block(MARK_BLOCK, [Buffer.from(JSON.stringify(mark))]);
    } catch (error) {
      this.abandon();
      throw error;
    }
  }

  add(image: Uint8Array): void {
    const length = Buffer.allocUnsafe(IMAGE_LENGTH_BYTES);
    length.writeUInt32LE(image.length, 0);
    this.pending.push(length, image);
    this.pendingBytes += IMAGE_LENGTH_BYTES + image.length;
    if (this.pendingBytes >= BLOCK_BYTES) this.endBlock();
  }

  /** All of it is on the disk; what the disk has made of it is told by reading it back. */
  seal(): void {
    this.endBlock();
    const digest = this.hash.digest();
    this.block(END_BLOCK, [digest], false);
    fs.fsyncSync(this.descriptor);
    this.sealed = true;
    fs.closeSync(this.descriptor);
  }

  /** Gives up: the file is its owner's to remove. */
  abandon(): void {
    if (!this.sealed) fs.closeSync(this.descriptor);
  }

  private endBlock(): void {
    if (this.pendingBytes === 0) return;
    this.block(ENTRIES_BLOCK, this.pending);
    this.pending = [];
    this.pendingBytes = 0;
  }

  private block(type: number, parts: readonly Uint8Array[], hashed = true): void {
    const body = Buffer.concat(parts);
    const header = Buffer.alloc(BLOCK_HEADER_BYTES);
    header.writeUInt8(type, 0);
    header.writeUInt32LE(body.length, 4);
    header.writeUInt32LE(crc32(body), 8);
    this.write(header, hashed);
    this.write(body, hashed);
  }

  private write(bytes: Uint8Array, hashed = true): void {
    if (hashed) this.hash.update(bytes);
    for (let done = 0; done < bytes.length;)
      done += fs.writeSync(this.descriptor, bytes, done, bytes.length - done);
    this.bytes += bytes.length;
  }
}

/**
 * Reads every byte, block by block, and tells after each how many bytes that were: whoever drives it may rest between two, or give up by `return`,
 * which closes the file. Throws when any byte is not what was written.
 */
export function* verifyingSnapshot(path: string): Generator<number, StateMark> {
  const digest = new StateDigest();
  const mark = yield* readingSnapshot(path, (image) => digest.add(image));
  if (digest.entries !== mark.entries || digest.toString() !== mark.digest)
    throw new Error(`${path} does not hold the entries that it counts`);
  return mark;
}

/** As above, all at once. */
export function verifySnapshot(path: string): StateMark {
  return endOf(verifyingSnapshot(path));
}

/**
 * The mark, after `visit` was called with each entry's image, which dies with the call. Throws for the first damage: what was visited until then
 * counts for nothing. The caller compares number and digest.
 */
export function readSnapshot(path: string, visit: (image: Buffer) => void): StateMark {
  return endOf(readingSnapshot(path, visit));
}

/** As above; after each block it tells how many bytes it has read. */
function* readingSnapshot(
  path: string,
  visit: (image: Buffer) => void,
): Generator<number, StateMark> {
  const descriptor = fs.openSync(path, 'r');
  const hash = createHash('sha256');
  let at = 0;
  const take = (length: number): Buffer => {
    const bytes = Buffer.alloc(length);
    if (fs.readSync(descriptor, bytes, 0, length, at) < length)
      throw new Error(`${path} ends within a block`);
    at += length;
    return bytes;
  };
  try {
    const magic = take(MAGIC.length);
    if (!magic.equals(MAGIC)) throw new Error(`${path} is not a snapshot`);
    hash.update(magic);
    let mark: StateMark | undefined;
    for (;;) {
      const header = take(BLOCK_HEADER_BYTES);
      const type = header.readUInt8(0);
      const bodyBytes = header.readUInt32LE(4);
      if (bodyBytes > BLOCK_BYTES_MAX) throw new Error(`${path} has a block that is too long`);
      const body = take(bodyBytes);
      if (crc32(body) !== header.readUInt32LE(8)) throw new Error(`${path} has a damaged block`);
      if (type === END_BLOCK) {
        if (body.length !== HASH_BYTES || !hash.digest().equals(body))
          throw new Error(`${path} is not what was written`);
        if (fs.fstatSync(descriptor).size !== at) throw new Error(`${path} goes on after its end`);
        if (mark === undefined) throw new Error(`${path} has no mark`);
        return mark;
      }
      hash.update(header).update(body);
      if (type === MARK_BLOCK && mark === undefined) mark = parseMark(body.toString('utf8'));
      else if (type === ENTRIES_BLOCK && mark !== undefined) visitEntries(path, body, visit);
      else throw new Error(`${path} has a block that does not belong there`);
      if (mark === undefined) throw new Error(`${path} has no mark`);
      yield at;
    }
  } finally {
    fs.closeSync(descriptor);
  }
}

function endOf<Result>(steps: Generator<unknown, Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** The mark alone, from the file's first block; undefined when that is damaged. */
export function readSnapshotMark(path: string): StateMark | undefined {
  const descriptor = fs.openSync(path, 'r');
  try {
    const head = Buffer.alloc(MAGIC.length + BLOCK_HEADER_BYTES);
    if (fs.readSync(descriptor, head, 0, head.length, 0) < head.length) return undefined;
    const bodyBytes = head.readUInt32LE(MAGIC.length + 4);
    if (!head.subarray(0, MAGIC.length).equals(MAGIC) || bodyBytes > BLOCK_BYTES) return undefined;
    const body = Buffer.alloc(bodyBytes);
    fs.readSync(descriptor, body, 0, bodyBytes, head.length);
    return crc32(body) === head.readUInt32LE(MAGIC.length + 8)
      ? parseMark(body.toString('utf8'))
      : undefined;
  } finally {
    fs.closeSync(descriptor);
  }
}

function visitEntries(path: string, body: Buffer, visit: (image: Buffer) => void): void {
  for (let at = 0; at < body.length;) {
    if (at + IMAGE_LENGTH_BYTES > body.length) throw new Error(`${path} has a damaged block`);
    const imageAt = at + IMAGE_LENGTH_BYTES;
    const end = imageAt + body.readUInt32LE(at);
    if (end > body.length) throw new Error(`${path} has a damaged block`);
    visit(body.subarray(imageAt, end));
    at = end;
  }
}

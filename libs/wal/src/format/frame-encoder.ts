import { endianness } from 'node:os';
import { assert } from '@holdfast/kernel';
import type { Sequence } from '../wal.types.js';
import { crc32 } from './checksum.js';
import {
  encodedRecordBytes,
  FRAME_HEADER_BYTES,
  FRAME_MAGIC,
  FRAME_TYPE_DURABLE,
  FRAME_TYPE_RECORDS,
  FRAME_VERSION,
  RECORD_FLAG_ENDS_BATCH,
  RECORD_TYPE_DATA,
  RECORD_TYPE_GAP,
  writeU64,
} from './wal-format.js';

assert(
  endianness() === 'LE',
  'record headers are written as native 32-bit words, and the format is little-endian',
);

const GAP_PAYLOAD_BYTES = 4;

/** What a frame says of its place; known only when it is about to be written. */
export interface FramePlace {
  /** `frameSeed` of the segment. */
  readonly seed: number;
  readonly fileOffset: number;
  /** Of the frame before it; of the segment header for the first. */
  readonly previousHeaderCrc: number;
  /** Known to be synced when this frame is written. */
  readonly durableSequence: number;
  readonly wallMicros: number;
}

/** A frame being filled: batches are copied in as they are admitted, and the header is put before them at the end. */
export class FrameEncoder {
  private buffer: Buffer;
  private words: Int32Array;
  private end = FRAME_HEADER_BYTES;
  private records = 0;
  private span = 0;

  constructor(initialBytes: number) {
    [this.buffer, this.words] = allocate(initialBytes);
  }

  /** Header and body so far. */
  get byteLength(): number {
    return this.end;
  }

  get capacity(): number {
    return this.buffer.length;
  }

  get recordCount(): number {
    return this.records;
  }

  reset(): void {
    this.end = FRAME_HEADER_BYTES;
    this.records = 0;
    this.span = 0;
  }

  /** Copies one batch in. `batchBytes` is the sum of its encoded records, which the caller has computed and bounded. */
  add(payloads: readonly Uint8Array[], batchBytes: number): void {
    if (this.end + batchBytes > this.buffer.length) this.grow(this.end + batchBytes);
    let at = this.end;
    const last = payloads.length - 1;
    for (let index = 0; index <= last; index++) {
      const payload = payloads[index] as Uint8Array;
      const next = at + encodedRecordBytes(payload.length);
      // The last word may be padding, which must be zero in a buffer that is used again.
      this.words[(next >> 2) - 2] = 0;
      this.words[(next >> 2) - 1] = 0;
      this.words[at >> 2] = payload.length;
      this.words[(at >> 2) + 1] =
        RECORD_TYPE_DATA | (index === last ? RECORD_FLAG_ENDS_BATCH << 8 : 0);
      this.buffer.set(payload, at + 8);
      at = next;
    }
    assert(
      at === this.end + batchBytes,
      'the batch takes exactly the bytes that were reserved for it',
    );
    this.end = at;
    this.records += payloads.length;
    this.span += payloads.length;
  }

  /** Stands for `sequences` sequences that are not in the log any more. */
  addGap(sequences: number, endsBatch = true): void {
    const bytes = encodedRecordBytes(GAP_PAYLOAD_BYTES);
    if (this.end + bytes > this.buffer.length) this.grow(this.end + bytes);
    const at = this.end >> 2;
    this.words[at] = GAP_PAYLOAD_BYTES;
    this.words[at + 1] = RECORD_TYPE_GAP | (endsBatch ? RECORD_FLAG_ENDS_BATCH << 8 : 0);
    this.words[at + 2] = sequences;
    this.words[at + 3] = 0;
    this.end += bytes;
    this.records++;
    this.span += sequences;
  }

  /** One record; whether it ends its batch is said here, because others of the batch may be gone. */
  addRecord(payload: Uint8Array, endsBatch: boolean): void {
    this.add([payload], encodedRecordBytes(payload.length));
    if (endsBatch) return;
    const at = (this.end - encodedRecordBytes(payload.length)) >> 2;
    this.words[at + 1] = RECORD_TYPE_DATA;
  }

  /** The body of a frame that has verified, as it stands. */
  addBody(body: Buffer, recordCount: number, sequenceSpan: number): void {
    if (this.end + body.length > this.buffer.length) this.grow(this.end + body.length);
    this.buffer.set(body, this.end);
    this.end += body.length;
    this.records += recordCount;
    this.span += sequenceSpan;
  }

  /** Puts the header before the body. The view is good until the next `add` or `reset`. */
  finish(firstSequence: Sequence, place: FramePlace): { bytes: Buffer; headerCrc: number } {
    const { buffer } = this;
    buffer.writeUInt32LE(FRAME_MAGIC, 0);
    buffer.writeUInt32LE(place.fileOffset, 8);
    buffer.writeUInt32LE(this.end - FRAME_HEADER_BYTES, 12);
    buffer.writeUInt32LE(crc32(buffer.subarray(FRAME_HEADER_BYTES, this.end)), 16);
    buffer.writeUInt32LE(place.previousHeaderCrc, 20);
    writeU64(buffer, firstSequence, 24);
    buffer.writeUInt32LE(this.records, 32);
    buffer.writeUInt8(this.records === 0 ? FRAME_TYPE_DURABLE : FRAME_TYPE_RECORDS, 36);
    buffer.writeUInt8(FRAME_VERSION, 37);
    buffer.writeUInt16LE(0, 38);
    writeU64(buffer, place.durableSequence, 40);
    buffer.writeUInt32LE(0, 48);
    buffer.writeUInt32LE(this.span, 52);
    writeU64(buffer, place.wallMicros, 56);
    const headerCrc = crc32(buffer.subarray(8, FRAME_HEADER_BYTES), place.seed);
    buffer.writeUInt32LE(headerCrc, 4);
    return { bytes: buffer.subarray(0, this.end), headerCrc };
  }

  private grow(neededBytes: number): void {
    let bytes = this.buffer.length;
    while (bytes < neededBytes) bytes *= 2;
    const old = this.buffer;
    [this.buffer, this.words] = allocate(bytes);
    old.copy(this.buffer, 0, 0, this.end);
  }
}

function allocate(bytes: number): [Buffer, Int32Array] {
  // Not from Node's shared pool: the words need an aligned start.
  const memory = new ArrayBuffer(bytes);
  return [Buffer.from(memory), new Int32Array(memory)];
}

import { crc32 } from './checksum.js';
import {
  encodedRecordBytes,
  FRAME_ALIGNMENT,
  FRAME_HEADER_BYTES,
  FRAME_MAGIC,
  FRAME_TYPE_DURABLE,
  FRAME_TYPE_RECORDS,
  FRAME_VERSION,
  readU64,
  RECORD_FLAG_ENDS_BATCH,
  RECORD_HEADER_BYTES,
  RECORD_TYPE_DATA,
  RECORD_TYPE_GAP,
  RECORD_TYPE_IGNORABLE_MIN,
} from './wal-format.js';

/** A frame header whose own checksum verified; only then is its length trusted. */
export interface FrameHeader {
  readonly fileOffset: number;
  readonly bodyLength: number;
  readonly bodyCrc: number;
  readonly previousHeaderCrc: number;
  readonly headerCrc: number;
  readonly firstSequence: number;
  readonly recordCount: number;
  readonly sequenceSpan: number;
  readonly durableSequence: number;
  readonly wallMicros: number;
}

/** The offset behind the frame: where the next one stands. */
export function frameEnd(header: FrameHeader): number {
  return header.fileOffset + FRAME_HEADER_BYTES + header.bodyLength;
}

/** The last sequence of the frame; the one before its first when it is empty. */
export function lastSequenceOf(header: FrameHeader): number {
  return header.firstSequence + header.sequenceSpan - 1;
}

/**
 * The header of the frame that stands at `fileOffset` of a segment with this seed, read from `buffer` at `at`, or undefined when no valid
 * one stands there. Says nothing of the body.
 */
export function decodeFrameHeader(
  buffer: Buffer,
  at: number,
  seed: number,
  fileOffset: number,
): FrameHeader | undefined {
  if (at + FRAME_HEADER_BYTES > buffer.length) return undefined;
  if (buffer.readUInt32LE(at) !== FRAME_MAGIC) return undefined;
  const headerCrc = buffer.readUInt32LE(at + 4);
  if (crc32(buffer.subarray(at + 8, at + FRAME_HEADER_BYTES), seed) !== headerCrc) return undefined;
  if (buffer.readUInt32LE(at + 8) !== fileOffset) return undefined;
  const type = buffer.readUInt8(at + 36);
  if (type !== FRAME_TYPE_RECORDS && type !== FRAME_TYPE_DURABLE) return undefined;
  if (buffer.readUInt8(at + 37) !== FRAME_VERSION) return undefined;
  const bodyLength = buffer.readUInt32LE(at + 12);
  if (bodyLength % FRAME_ALIGNMENT !== 0) return undefined;
  return {
    fileOffset,
    bodyLength,
    bodyCrc: buffer.readUInt32LE(at + 16),
    previousHeaderCrc: buffer.readUInt32LE(at + 20),
    headerCrc,
    firstSequence: readU64(buffer, at + 24),
    recordCount: buffer.readUInt32LE(at + 32),
    sequenceSpan: buffer.readUInt32LE(at + 52),
    durableSequence: readU64(buffer, at + 40),
    wallMicros: readU64(buffer, at + 56),
  };
}

const MAGIC = Buffer.alloc(4);
MAGIC.writeUInt32LE(FRAME_MAGIC, 0);

/** Every header in these bytes that verifies at its place, wherever a frame can stand. `fileOffset` is where the bytes stand in their file. */
export function* frameHeadersIn(
  bytes: Buffer,
  seed: number,
  fileOffset: number,
): Generator<FrameHeader> {
  for (let at = bytes.indexOf(MAGIC); at !== -1; at = bytes.indexOf(MAGIC, at + 1)) {
    if ((fileOffset + at) % FRAME_ALIGNMENT !== 0) continue;
    const header = decodeFrameHeader(bytes, at, seed, fileOffset + at);
    if (header !== undefined) yield header;
  }
}

/** Whether the body at `buffer[start, end)` is the one that the header was written with. */
export function bodyVerifies(
  header: FrameHeader,
  buffer: Buffer,
  start: number,
  end: number,
): boolean {
  return end - start === header.bodyLength && crc32(buffer.subarray(start, end)) === header.bodyCrc;
}

/** Called with each record that carries a sequence; returning false stops. Gaps are passed over. */
export type RecordVisitor = (
  sequence: number,
  start: number,
  end: number,
  endsBatch: boolean,
  // eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- most visitors return nothing
) => boolean | void;

export type BodyResult = 'complete' | 'stopped' | 'malformed' | 'unsupported';

/**
 * Walks the records of a body that has verified. `malformed` means that a writer wrote nonsense under a good checksum: counts,
 * lengths and sequences must agree to the byte.
 */
export function visitRecords(
  header: FrameHeader,
  buffer: Buffer,
  start: number,
  visitor: RecordVisitor,
): BodyResult {
  const end = start + header.bodyLength;
  let sequence = header.firstSequence;
  let records = 0;
  let at = start;
  while (at < end) {
    if (at + RECORD_HEADER_BYTES > end) return 'malformed';
    const length = buffer.readUInt32LE(at);
    const type = buffer.readUInt8(at + 4);
    // Before anything is added to it: near 2³² the sum would wrap round.
    if (length > end - at - RECORD_HEADER_BYTES) return 'malformed';
    const next = at + encodedRecordBytes(length);
    if (next > end) return 'malformed';
    records++;
    if (type === RECORD_TYPE_DATA) {
      const endsBatch = (buffer.readUInt8(at + 5) & RECORD_FLAG_ENDS_BATCH) !== 0;
      const from = at + RECORD_HEADER_BYTES;
      if (visitor(sequence, from, from + length, endsBatch) === false) return 'stopped';
      sequence++;
    } else if (type === RECORD_TYPE_GAP) {
      if (length !== 4) return 'malformed';
      sequence += buffer.readUInt32LE(at + RECORD_HEADER_BYTES);
    } else if (type < RECORD_TYPE_IGNORABLE_MIN) {
      return 'unsupported';
    }
    at = next;
  }
  const agrees =
    records === header.recordCount && sequence === header.firstSequence + header.sequenceSpan;
  return agrees ? 'complete' : 'malformed';
}

import { assert } from '@holdfast/kernel';

/**
 * The constants of the bytes on disk. `docs/file-format.md` is the authority; it changes in the same commit as this file.
 * All integers are little-endian; u64 are two u32, because a pair of u32 is six times faster to read than a BigInt.
 */
export const FORMAT_VERSION = 1;

/** Feature bits that this code understands. An unknown incompatible bit refuses the log; an unknown compatible one does not. */
export const INCOMPATIBLE_FEATURE_COMPACTED = 1;
export const INCOMPATIBLE_FEATURES_KNOWN = INCOMPATIBLE_FEATURE_COMPACTED;

/** The segment header stands in a block of its own, and a second copy in the next one. */
export const HEADER_BLOCK_BYTES = 4096;
/** Where the first frame of a segment stands. */
export const SEGMENT_DATA_START = 2 * HEADER_BLOCK_BYTES;

export const FRAME_MAGIC = 0x4d46_4448; // "HDFM"
export const FRAME_HEADER_BYTES = 64;
export const FRAME_ALIGNMENT = 8;
export const FRAME_VERSION = 1;

/** A frame of records, or an empty frame that only carries the durable sequence. */
export const FRAME_TYPE_RECORDS = 1;
export const FRAME_TYPE_DURABLE = 2;

export const RECORD_HEADER_BYTES = 8;
export const RECORD_TYPE_DATA = 1;
/** Stands for n sequences that compaction dropped; its payload is n as u32. */
export const RECORD_TYPE_GAP = 2;
/** Record types from here on may be skipped by code that does not know them; they carry no sequence. */
export const RECORD_TYPE_IGNORABLE_MIN = 0x80;
export const RECORD_FLAG_ENDS_BATCH = 1;

const MEBIBYTE = 1024 * 1024;

/** Largest payload of one record. */
export const RECORD_BYTES_MAX = 16 * MEBIBYTE;
/** Largest frame body, and so the largest batch, in encoded bytes. A log may be opened with less. */
export const FRAME_BYTES_MAX = 32 * MEBIBYTE;
/** The smallest that a log may be opened with: tests want small segments. */
export const FRAME_BYTES_MIN = 16 * 1024;
/** A frame that holds this much takes no further batch. */
export const GROUP_BYTES_MAX = 4 * MEBIBYTE;
export const SEGMENT_BYTES_DEFAULT = 64 * MEBIBYTE;
/** File offsets in frames are u32, and zeroing a segment must stay a matter of a second. */
export const SEGMENT_BYTES_MAX = 1024 * MEBIBYTE;
/** Kept free at the end of each segment for the empty frame of an idle or closing log. */
export const SEGMENT_RESERVED_BYTES = FRAME_HEADER_BYTES;

/**
 * A segment is zeroed in pieces of this size, and the first piece (or all of a smaller segment) is durable before it gets its name: a shorter
 * one that is not sealed has been cut.
 */
export const ZERO_CHUNK_BYTES = MEBIBYTE;

/** One entry of the sparse index for at least this many bytes of frames. */
export const SPARSE_INDEX_BYTES = 64 * 1024;

/** What a record occupies in a frame's body: header, payload, zeros up to the alignment. */
export function encodedRecordBytes(payloadBytes: number): number {
  return align(RECORD_HEADER_BYTES + payloadBytes);
}

export function align(bytes: number): number {
  return (bytes + (FRAME_ALIGNMENT - 1)) & ~(FRAME_ALIGNMENT - 1);
}

const TWO_TO_32 = 0x1_0000_0000;

/** Reads a u64 that must be a safe integer; Infinity when it is not, so that every range check on it fails. */
export function readU64(buffer: Buffer, offset: number): number {
  const high = buffer.readUInt32LE(offset + 4);
  if (high >= 0x20_0000) return Infinity;
  return high * TWO_TO_32 + buffer.readUInt32LE(offset);
}

export function writeU64(buffer: Buffer, value: number, offset: number): void {
  assert(
    Number.isSafeInteger(value) && value >= 0,
    `a u64 in the log is a safe integer, not ${value}`,
  );
  buffer.writeUInt32LE(value % TWO_TO_32, offset);
  buffer.writeUInt32LE(Math.floor(value / TWO_TO_32), offset + 4);
}

import { readAt } from '../disk/file-reading.js';
import type { ReadableFile } from '../disk/file-system.js';
import { crc32 } from '../format/checksum.js';
import { SparseIndex } from '../format/sparse-index.js';
import { readU64, writeU64 } from '../format/wal-format.js';

/**
 * Stands behind a sealed segment's data and spares readers a walk through it. A convenience: it is written in the background, checked
 * when read, and made again from the data when it is missing or bad (`footer-missing`).
 */
export interface SegmentFooter {
  readonly dataLength: number;
  readonly recordCount: number;
  readonly frameCount: number;
  readonly firstWallMicros: number;
  readonly lastWallMicros: number;
  /** Of the file's bytes from 0 to `dataLength`. */
  readonly sha256: Uint8Array;
  readonly index: SparseIndex;
}

/** What a footer says, apart from the digest. */
export type SegmentSummary = Omit<SegmentFooter, 'sha256'>;

const MAGIC = Buffer.from('HOLDFOOT', 'latin1');
const FIXED_BYTES = 96;
const ENTRY_BYTES = 16;
const CRC_COVERS_FROM = 12;
/** An index of a 1 GiB segment has 16,384 entries. */
const ENTRIES_MAX = 65_536;

export function encodeFooter(footer: SegmentFooter): Buffer {
  const entries = footer.index.entries();
  const bytes = Buffer.alloc(FIXED_BYTES + entries.length * ENTRY_BYTES);
  MAGIC.copy(bytes, 0);
  bytes.writeUInt32LE(1, 12);
  bytes.writeUInt32LE(footer.dataLength, 16);
  bytes.writeUInt32LE(entries.length, 20);
  writeU64(bytes, footer.recordCount, 24);
  writeU64(bytes, footer.firstWallMicros, 32);
  writeU64(bytes, footer.lastWallMicros, 40);
  bytes.set(footer.sha256, 48);
  bytes.writeUInt32LE(footer.frameCount, 80);
  entries.forEach(({ sequence, offset }, at) => {
    writeU64(bytes, sequence, FIXED_BYTES + at * ENTRY_BYTES);
    bytes.writeUInt32LE(offset, FIXED_BYTES + at * ENTRY_BYTES + 8);
  });
  bytes.writeUInt32LE(crc32(bytes.subarray(CRC_COVERS_FROM)), 8);
  return bytes;
}

/** The footer of a segment whose data ends at `dataLength`, or undefined when no valid one stands there. */
export function readFooter(file: ReadableFile, dataLength: number): SegmentFooter | undefined {
  const fixed = Buffer.alloc(FIXED_BYTES);
  if (readAt(file, fixed, dataLength) < FIXED_BYTES) return undefined;
  const entryCount = fixed.readUInt32LE(20);
  if (MAGIC.compare(fixed, 0, MAGIC.length) !== 0 || entryCount > ENTRIES_MAX) return undefined;
  const bytes = Buffer.alloc(FIXED_BYTES + entryCount * ENTRY_BYTES);
  if (readAt(file, bytes, dataLength) < bytes.length) return undefined;
  if (crc32(bytes.subarray(CRC_COVERS_FROM)) !== bytes.readUInt32LE(8)) return undefined;
  if (bytes.readUInt32LE(12) !== 1 || bytes.readUInt32LE(16) !== dataLength) return undefined;
  const sequences: number[] = [];
  const offsets: number[] = [];
  for (let at = FIXED_BYTES; at < bytes.length; at += ENTRY_BYTES) {
    sequences.push(readU64(bytes, at));
    offsets.push(bytes.readUInt32LE(at + 8));
  }
  return {
    dataLength,
    recordCount: readU64(bytes, 24),
    frameCount: bytes.readUInt32LE(80),
    firstWallMicros: readU64(bytes, 32),
    lastWallMicros: readU64(bytes, 40),
    sha256: new Uint8Array(bytes.subarray(48, 80)),
    index: new SparseIndex(sequences, offsets),
  };
}

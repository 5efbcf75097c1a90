import { assert } from '@holdfast/kernel';
import type { Durability } from '../wal.types.js';
import { crc32 } from './checksum.js';
import {
  FORMAT_VERSION,
  HEADER_BLOCK_BYTES,
  INCOMPATIBLE_FEATURE_COMPACTED,
  INCOMPATIBLE_FEATURES_KNOWN,
  readU64,
  writeU64,
} from './wal-format.js';

/** What the next segment's header fixes about this one. With it, the predecessor is sealed. */
export interface PredecessorSeal {
  /** Where its data ends. Bytes beyond are neither parsed nor damage. 0: there is no predecessor. */
  readonly dataLength: number;
  readonly lastSequence: number;
  /** Of its last frame; of its own segment header when it holds no frame. */
  readonly lastHeaderCrc: number;
  /** Where that frame stands; 0 when it holds none. */
  readonly lastFrameOffset: number;
  readonly generation: number;
}

/** What a segment that was compacted says beside: its own end, because its successor names the end of what it was made of. */
export interface CompactedSegment {
  /** As in its name; 1 or more. */
  readonly generation: number;
  readonly dataLength: number;
  /** Where its last frame stands; it ends the data. */
  readonly lastFrameOffset: number;
  /** The end of the segment as it was written, as its successor's header names it. */
  readonly original: PredecessorSeal;
  /** Of the data as it was written: 64 hex digits. */
  readonly originalSha256: string;
}

/** The first block of a segment, twice. Byte table in `docs/file-format.md`. */
export interface SegmentHeader {
  /** 32 hex digits, the same in all segments. */
  readonly logId: string;
  /** 16 hex digits, random for each open. */
  readonly timeline: string;
  readonly segment: number;
  /** Of the writer: rises with each claim. */
  readonly epoch: number;
  readonly firstSequence: number;
  readonly salt: number;
  readonly durability: Durability;
  /** The largest frame body that this segment may hold: recovery needs it to tell a tear from damage. */
  readonly frameBytesMax: number;
  readonly segmentBytes: number;
  readonly createdMicros: number;
  readonly predecessor: PredecessorSeal;
  readonly compacted?: CompactedSegment;
  /** This header's own checksum: what the first frame chains to. */
  readonly headerCrc: number;
}

export type HeaderRefusal =
  { readonly kind: 'damaged' } | { readonly kind: 'unsupported'; readonly reason: string };

const MAGIC = Buffer.from('HOLDFWAL', 'latin1');
const CRC_COVERS_FROM = 12;
const DURABILITIES: readonly Durability[] = ['sync', 'interval', 'none'];

/** One block; it is written twice. */
export function encodeSegmentHeader(header: Omit<SegmentHeader, 'headerCrc'>): Buffer {
  const block = Buffer.alloc(HEADER_BLOCK_BYTES);
  MAGIC.copy(block, 0);
  block.writeUInt32LE(FORMAT_VERSION, 12);
  block.writeUInt32LE(header.compacted === undefined ? 0 : INCOMPATIBLE_FEATURE_COMPACTED, 16);
  block.writeUInt32LE(0, 20);
  assert(header.logId.length === 32 && header.timeline.length === 16, 'ids have their full length');
  block.write(header.logId, 24, 'hex');
  block.write(header.timeline, 40, 'hex');
  writeU64(block, header.segment, 48);
  writeU64(block, header.epoch, 56);
  writeU64(block, header.firstSequence, 64);
  block.writeUInt32LE(header.salt, 72);
  block.writeUInt8(DURABILITIES.indexOf(header.durability) + 1, 76);
  block.writeUInt32LE(header.frameBytesMax, 80);
  block.writeUInt32LE(header.segmentBytes, 84);
  writeU64(block, header.createdMicros, 88);
  block.writeUInt32LE(header.predecessor.dataLength, 96);
  block.writeUInt32LE(header.predecessor.lastHeaderCrc, 100);
  writeU64(block, header.predecessor.lastSequence, 104);
  block.writeUInt32LE(header.predecessor.generation, 112);
  block.writeUInt32LE(header.predecessor.lastFrameOffset, 116);
  if (header.compacted !== undefined) encodeCompacted(block, header.compacted);
  block.writeUInt32LE(crc32(block.subarray(CRC_COVERS_FROM)), 8);
  return block;
}

function encodeCompacted(block: Buffer, compacted: CompactedSegment): void {
  assert(compacted.originalSha256.length === 64, 'a digest has its full length');
  block.writeUInt32LE(compacted.generation, 120);
  block.writeUInt32LE(compacted.dataLength, 124);
  block.writeUInt32LE(compacted.lastFrameOffset, 128);
  block.writeUInt32LE(compacted.original.dataLength, 132);
  block.writeUInt32LE(compacted.original.lastHeaderCrc, 136);
  block.writeUInt32LE(compacted.original.lastFrameOffset, 140);
  writeU64(block, compacted.original.lastSequence, 144);
  block.write(compacted.originalSha256, 152, 'hex');
}

function decodeCompacted(block: Buffer): CompactedSegment {
  return {
    generation: block.readUInt32LE(120),
    dataLength: block.readUInt32LE(124),
    lastFrameOffset: block.readUInt32LE(128),
    original: {
      dataLength: block.readUInt32LE(132),
      lastHeaderCrc: block.readUInt32LE(136),
      lastFrameOffset: block.readUInt32LE(140),
      lastSequence: readU64(block, 144),
      generation: 0,
    },
    originalSha256: block.toString('hex', 152, 184),
  };
}

/** A header is valid if and only if its magic stands, its checksum verifies, and this code knows its format. */
export function decodeSegmentHeader(block: Buffer): SegmentHeader | HeaderRefusal {
  if (block.length < HEADER_BLOCK_BYTES || MAGIC.compare(block, 0, MAGIC.length) !== 0)
    return { kind: 'damaged' };
  const headerCrc = block.readUInt32LE(8);
  if (crc32(block.subarray(CRC_COVERS_FROM, HEADER_BLOCK_BYTES)) !== headerCrc)
    return { kind: 'damaged' };
  const version = block.readUInt32LE(12);
  if (version !== FORMAT_VERSION)
    return { kind: 'unsupported', reason: `format version ${version}` };
  const unknownFeatures = block.readUInt32LE(16) & ~INCOMPATIBLE_FEATURES_KNOWN;
  if (unknownFeatures !== 0) {
    return {
      kind: 'unsupported',
      reason: `incompatible feature bits 0x${(unknownFeatures >>> 0).toString(16)}`,
    };
  }
  const isCompacted = (block.readUInt32LE(16) & INCOMPATIBLE_FEATURE_COMPACTED) !== 0;
  const durability = DURABILITIES[block.readUInt8(76) - 1];
  if (durability === undefined)
    return { kind: 'unsupported', reason: `durability mode ${block.readUInt8(76)}` };
  return {
    logId: block.toString('hex', 24, 40),
    timeline: block.toString('hex', 40, 48),
    segment: readU64(block, 48),
    epoch: readU64(block, 56),
    firstSequence: readU64(block, 64),
    salt: block.readUInt32LE(72),
    durability,
    frameBytesMax: block.readUInt32LE(80),
    segmentBytes: block.readUInt32LE(84),
    createdMicros: readU64(block, 88),
    predecessor: {
      dataLength: block.readUInt32LE(96),
      lastHeaderCrc: block.readUInt32LE(100),
      lastSequence: readU64(block, 104),
      generation: block.readUInt32LE(112),
      lastFrameOffset: block.readUInt32LE(116),
    },
    ...(isCompacted && { compacted: decodeCompacted(block) }),
    headerCrc,
  };
}

export function isHeader(decoded: SegmentHeader | HeaderRefusal): decoded is SegmentHeader {
  return !('kind' in decoded);
}

/** Where the data of a segment with a successor ends: the successor says it, or the segment itself when it was compacted. */
export function sealedLength(segment: SegmentHeader, successor: SegmentHeader): number {
  return segment.compacted?.dataLength ?? successor.predecessor.dataLength;
}

/** What every frame checksum of the segment starts from, so that no byte of another log, segment or writer can pass. */
export function frameSeed(
  header: Pick<SegmentHeader, 'logId' | 'segment' | 'epoch' | 'salt'>,
): number {
  const bytes = Buffer.alloc(36);
  bytes.write(header.logId, 0, 'hex');
  writeU64(bytes, header.segment, 16);
  writeU64(bytes, header.epoch, 24);
  bytes.writeUInt32LE(header.salt, 32);
  return crc32(bytes);
}

/** Whether two descriptions of a segment's end are those of the same data. */
export function sameSeal(one: PredecessorSeal, other: PredecessorSeal): boolean {
  return (
    one.dataLength === other.dataLength &&
    one.lastSequence === other.lastSequence &&
    one.lastHeaderCrc === other.lastHeaderCrc &&
    one.lastFrameOffset === other.lastFrameOffset
  );
}

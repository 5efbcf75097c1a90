import { assert } from '@holdfast/kernel';
import { crc32 } from './checksum.js';
import type { Durability } from './wal.types.js';
import {
  FORMAT_VERSION,
  HEADER_BLOCK_BYTES,
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
  block.writeUInt32LE(0, 16);
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
  block.writeUInt32LE(crc32(block.subarray(CRC_COVERS_FROM)), 8);
  return block;
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
    headerCrc,
  };
}

export function isHeader(decoded: SegmentHeader | HeaderRefusal): decoded is SegmentHeader {
  return !('kind' in decoded);
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

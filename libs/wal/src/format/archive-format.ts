import { assert } from '@holdfast/kernel';
import { CODEC_ZSTD, type StoredBlock } from './block-codec.js';
import { crc32 } from './checksum.js';
import type { PredecessorSeal } from './segment-header.js';
import type { SegmentName } from './segment-name.js';
import { HEADER_BLOCK_BYTES, readU64, writeU64 } from './wal-format.js';

/**
 * The bytes of an archived segment: a header block, a copy of the segment's own header block, the table of blocks, the blocks. `docs/file-format.md` has the table.
 */
export interface ArchiveHeader {
  readonly logId: string;
  readonly name: SegmentName;
  /** As the successor names this segment's end. */
  readonly seal: PredecessorSeal;
  readonly dataLength: number;
  readonly contentBytes: number;
  /** 64 hex digits. */
  readonly sha256: string;
  readonly firstWallMicros: number;
  readonly lastWallMicros: number;
  readonly blockBytes: number;
  readonly blockCount: number;
  readonly tableCrc: number;
}

/** Big enough to compress well, small enough to read one for a single record. */
export const ARCHIVE_BLOCK_BYTES = 64 * 1024;
export const SEGMENT_HEADER_AT = HEADER_BLOCK_BYTES;
export const BLOCK_TABLE_AT = 2 * HEADER_BLOCK_BYTES;
const TABLE_ENTRY_BYTES = 8;
const MAGIC = Buffer.from('HOLDARCH', 'latin1');
const VERSION = 1;
const CRC_COVERS_FROM = 12;
/** An archived segment of 1 GiB has 16,384 blocks and a footer. */
const BLOCKS_MAX = 65_536;

export function blockTableBytes(blockCount: number): number {
  return blockCount * TABLE_ENTRY_BYTES;
}

export function encodeArchiveHeader(header: ArchiveHeader): Buffer {
  assert(
    header.sha256.length === 64 && header.logId.length === 32,
    'digests have their full length',
  );
  const block = Buffer.alloc(HEADER_BLOCK_BYTES);
  MAGIC.copy(block, 0);
  block.writeUInt32LE(VERSION, 12);
  block.write(header.logId, 24, 'hex');
  writeU64(block, header.name.segment, 40);
  block.writeUInt32LE(header.name.generation, 48);
  block.writeUInt32LE(CODEC_ZSTD, 52);
  writeU64(block, header.name.firstSequence, 56);
  writeU64(block, header.seal.lastSequence, 64);
  writeU64(block, header.firstWallMicros, 72);
  writeU64(block, header.lastWallMicros, 80);
  block.writeUInt32LE(header.dataLength, 88);
  block.writeUInt32LE(header.contentBytes, 92);
  block.writeUInt32LE(header.seal.dataLength, 96);
  block.writeUInt32LE(header.seal.lastHeaderCrc, 100);
  block.writeUInt32LE(header.seal.lastFrameOffset, 104);
  block.writeUInt32LE(header.seal.generation, 108);
  block.write(header.sha256, 112, 'hex');
  block.writeUInt32LE(header.blockBytes, 144);
  block.writeUInt32LE(header.blockCount, 148);
  block.writeUInt32LE(header.tableCrc, 152);
  block.writeUInt32LE(crc32(block.subarray(CRC_COVERS_FROM)), 8);
  return block;
}

/** Undefined when it is damaged; a string says why this version cannot read it. */
export function decodeArchiveHeader(block: Buffer): ArchiveHeader | string | undefined {
  if (block.length < HEADER_BLOCK_BYTES || MAGIC.compare(block, 0, MAGIC.length) !== 0)
    return undefined;
  const covered = block.subarray(CRC_COVERS_FROM, HEADER_BLOCK_BYTES);
  if (crc32(covered) !== block.readUInt32LE(8)) return undefined;
  const [version, features, codec] = [12, 16, 52].map((at) => block.readUInt32LE(at));
  if (version !== VERSION) return `archive format version ${version}`;
  if (features !== 0) return `incompatible archive feature bits 0x${features?.toString(16)}`;
  if (codec !== CODEC_ZSTD) return `codec ${codec}`;
  const header = {
    logId: block.toString('hex', 24, 40),
    name: {
      segment: readU64(block, 40),
      generation: block.readUInt32LE(48),
      firstSequence: readU64(block, 56),
    },
    firstWallMicros: readU64(block, 72),
    lastWallMicros: readU64(block, 80),
    dataLength: block.readUInt32LE(88),
    contentBytes: block.readUInt32LE(92),
    seal: {
      dataLength: block.readUInt32LE(96),
      lastSequence: readU64(block, 64),
      lastHeaderCrc: block.readUInt32LE(100),
      lastFrameOffset: block.readUInt32LE(104),
      generation: block.readUInt32LE(108),
    },
    sha256: block.toString('hex', 112, 144),
    blockBytes: block.readUInt32LE(144),
    blockCount: block.readUInt32LE(148),
    tableCrc: block.readUInt32LE(152),
  };
  const blocks = Math.ceil(header.contentBytes / header.blockBytes);
  return blocks === header.blockCount && blocks <= BLOCKS_MAX ? header : undefined;
}

export function encodeBlockTable(blocks: readonly StoredBlock[]): Buffer {
  const table = Buffer.alloc(blockTableBytes(blocks.length));
  blocks.forEach(({ storedBytes, crc }, at) => {
    table.writeUInt32LE(storedBytes, at * TABLE_ENTRY_BYTES);
    table.writeUInt32LE(crc, at * TABLE_ENTRY_BYTES + 4);
  });
  return table;
}

/** Undefined when it is not the table that the header was written with. */
export function decodeBlockTable(header: ArchiveHeader, table: Buffer): StoredBlock[] | undefined {
  const { blockCount, blockBytes, contentBytes, tableCrc } = header;
  if (table.length !== blockTableBytes(blockCount) || crc32(table) !== tableCrc) return undefined;
  let offset = BLOCK_TABLE_AT + table.length;
  return Array.from({ length: blockCount }, (_, at) => {
    const storedBytes = table.readUInt32LE(at * TABLE_ENTRY_BYTES);
    const block = {
      offset,
      storedBytes,
      crc: table.readUInt32LE(at * TABLE_ENTRY_BYTES + 4),
      bytes: Math.min(blockBytes, contentBytes - at * blockBytes),
    };
    offset += storedBytes;
    return block;
  });
}

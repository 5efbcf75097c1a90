import { createHash } from 'node:crypto';
import { type File, type FileSystem, writeFullyAsync } from '../../disk/file-system.js';
import {
  ARCHIVE_BLOCK_BYTES,
  BLOCK_TABLE_AT,
  blockTableBytes,
  encodeArchiveHeader,
  encodeBlockTable,
} from '../../format/archive-format.js';
import type { StoredBlock } from '../../format/block-codec.js';
import { crc32 } from '../../format/checksum.js';
import { HEADER_BLOCK_BYTES } from '../../format/wal-format.js';
import type { PutOptions, SegmentSource } from '../../segment/archive-store.js';
import { readFooter } from '../../segment/segment-footer.js';
import { corrupt, readFailed, throwIfCancelled, WalError } from '../../wal.errors.js';

/** Read and compressed at once. */
const CHUNK_BYTES = 16 * ARCHIVE_BLOCK_BYTES;

/**
 * Writes an archived segment under a temporary name: blocks first, then the table, then the headers; synced when it resolves. What was read is compared with the digest
 * that the segment's footer has kept since it was sealed, so that what has rotted there is not archived as if it were whole. Crash anywhere: a temporary file, which the next attempt
 * replaces. Throws `WAL_CORRUPT`, `WAL_READ_FAILED`, `WAL_CANCELLED`, `ENOSPC`; nothing is left then.
 */
export async function writeArchivedSegment(
  fileSystem: FileSystem,
  path: string,
  source: SegmentSource,
  { signal, onBytes }: PutOptions,
): Promise<void> {
  if (fileSystem.exists(path)) fileSystem.unlink(path);
  const from = source.open();
  let file: File;
  try {
    file = fileSystem.open(path, 'create');
  } catch (error) {
    from.close();
    throw error;
  }
  try {
    const footer = readFooter(from, source.dataLength);
    if (footer === undefined) throw rotten(source, 'the segment has no footer');
    const contentBytes = from.size();
    const blockCount = Math.ceil(contentBytes / ARCHIVE_BLOCK_BYTES);
    const hash = createHash('sha256');
    const blocks: StoredBlock[] = [];
    let offset = BLOCK_TABLE_AT + blockTableBytes(blockCount);
    for (let at = 0; at < contentBytes; at += CHUNK_BYTES) {
      throwIfCancelled(signal);
      const bytes = await readChunk(from, Math.min(CHUNK_BYTES, contentBytes - at), at);
      hash.update(bytes.subarray(0, Math.max(0, source.dataLength - at)));
      const packed = await fileSystem.compress(bytes, ARCHIVE_BLOCK_BYTES);
      await writeFullyAsync(file, Buffer.concat(packed), offset);
      for (const [index, block] of packed.entries()) {
        const length = Math.min(ARCHIVE_BLOCK_BYTES, bytes.length - index * ARCHIVE_BLOCK_BYTES);
        blocks.push({ offset, storedBytes: block.length, crc: crc32(block), bytes: length });
        offset += block.length;
      }
      onBytes?.(bytes.length);
    }
    const digest = hash.digest();
    if (Buffer.compare(digest, footer.sha256) !== 0)
      throw rotten(source, 'the SHA-256 in the footer differs');
    const table = encodeBlockTable(blocks);
    const own = await readChunk(from, HEADER_BLOCK_BYTES, 0);
    const header = encodeArchiveHeader({
      logId: source.header.logId,
      name: source.name,
      seal: source.seal,
      dataLength: source.dataLength,
      contentBytes,
      sha256: digest.toString('hex'),
      firstWallMicros: footer.firstWallMicros,
      lastWallMicros: footer.lastWallMicros,
      blockBytes: ARCHIVE_BLOCK_BYTES,
      blockCount,
      tableCrc: crc32(table),
    });
    await writeFullyAsync(file, Buffer.concat([header, own, table]), 0);
    await file.dataSyncAsync();
    file.close();
  } catch (error) {
    file.close();
    fileSystem.unlink(path);
    throw error;
  } finally {
    from.close();
  }
}

async function readChunk(file: File, length: number, position: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  let read: number;
  try {
    read = await file.readAsync(bytes, position);
  } catch (error) {
    throw error instanceof WalError ? error : readFailed(file.path, position, error);
  }
  if (read === length) return bytes;
  throw readFailed(file.path, position, new Error('the file is shorter than it was'));
}

function rotten({ path, name }: SegmentSource, reason: string): WalError {
  return corrupt(reason, { file: path, offset: 0, firstSequence: name.firstSequence });
}

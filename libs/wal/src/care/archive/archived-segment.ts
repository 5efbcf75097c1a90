import { errorCode, errorMessage } from '@holdfast/kernel';
import { readAt, withFile } from '../../disk/file-reading.js';
import type { File, FileSystem } from '../../disk/file-system.js';
import {
  ARCHIVE_BLOCK_BYTES,
  type ArchiveHeader,
  BLOCK_TABLE_AT,
  blockTableBytes,
  decodeArchiveHeader,
  decodeBlockTable,
  SEGMENT_HEADER_AT,
} from '../../format/archive-format.js';
import type { StoredBlock } from '../../format/block-codec.js';
import { decodeSegmentHeader, isHeader } from '../../format/segment-header.js';
import { HEADER_BLOCK_BYTES } from '../../format/wal-format.js';
import type { ArchivedSegment } from '../../segment/archive-store.js';
import { corrupt, unsupported, type WalError } from '../../wal.errors.js';

/** What an archived file says of itself. Throws `WAL_CORRUPT`, `WAL_UNSUPPORTED_FORMAT`, `WAL_READ_FAILED`. */
export function describeArchived(fileSystem: FileSystem, path: string): ArchivedSegment {
  return withFile(fileSystem, path, (file) => {
    const archived = readArchiveHeader(file);
    const { name, seal, dataLength, contentBytes, sha256, firstWallMicros, lastWallMicros } =
      archived;
    const block = Buffer.alloc(HEADER_BLOCK_BYTES);
    readAt(file, block, SEGMENT_HEADER_AT);
    const header = decodeSegmentHeader(block);
    if (!isHeader(header)) {
      if (header.kind === 'unsupported') throw unsupported(path, header.reason);
      throw notFinished(path, name.firstSequence);
    }
    const agrees =
      header.logId === archived.logId &&
      header.segment === name.segment &&
      header.firstSequence === name.firstSequence;
    if (!agrees) throw notFinished(path, name.firstSequence);
    const storedBytes = file.size();
    const described = { name, path, header, seal, dataLength, contentBytes, sha256 };
    return { ...described, storedBytes, firstWallMicros, lastWallMicros };
  });
}

/** In the background: expands every block from the medium. */
export async function sha256OfArchived(
  fileSystem: FileSystem,
  { path, dataLength, name }: ArchivedSegment,
): Promise<Uint8Array> {
  const blocks = withFile(fileSystem, path, (file) => readBlockTable(file));
  try {
    return await fileSystem.sha256OfBlocks(path, blocks, dataLength);
  } catch (error) {
    if (errorCode(error) !== 'EBADMSG') throw error;
    throw corrupt(errorMessage(error), {
      file: path,
      offset: 0,
      firstSequence: name.firstSequence,
    });
  }
}

export function readBlockTable(file: File): StoredBlock[] {
  const header = readArchiveHeader(file);
  const table = Buffer.alloc(blockTableBytes(header.blockCount));
  readAt(file, table, BLOCK_TABLE_AT);
  const blocks = decodeBlockTable(header, table);
  if (blocks === undefined) throw notFinished(file.path, header.name.firstSequence);
  return blocks;
}

export function notFinished(file: string, firstSequence: number): WalError {
  return corrupt('the file is not the finished segment that it should hold', {
    file,
    offset: 0,
    firstSequence,
  });
}

function readArchiveHeader(file: File): ArchiveHeader {
  const block = Buffer.alloc(HEADER_BLOCK_BYTES);
  readAt(file, block, 0);
  const header = decodeArchiveHeader(block);
  if (typeof header === 'string') throw unsupported(file.path, header);
  if (header?.blockBytes !== ARCHIVE_BLOCK_BYTES) throw notFinished(file.path, 0);
  return header;
}

import type { File, FileSystem, ReadableFile } from './file-system.js';
import { decodeSegmentHeader, isHeader, type SegmentHeader } from './segment-header.js';
import { formatSegmentName, type SegmentName } from './segment-name.js';
import { readFailed, WalError } from './wal.errors.js';
import { HEADER_BLOCK_BYTES, SEGMENT_DATA_START } from './wal-format.js';

/** What stands in the first two blocks of a segment file. */
export interface SegmentFacts {
  readonly name: SegmentName;
  /** The file's name within the log's directory. */
  readonly file: string;
  readonly path: string;
  readonly size: number;
  /** Undefined when both copies are damaged. */
  readonly header: SegmentHeader | undefined;
  /** 0 or 1: a copy that is damaged while the other is good. */
  readonly damagedCopy: 0 | 1 | undefined;
}

/** Reads both copies of the header, through `readable` where what is damaged is to be read as far as it goes. Throws `WAL_UNSUPPORTED_FORMAT`, `WAL_READ_FAILED`. */
export function inspectSegment(
  fileSystem: FileSystem,
  directory: string,
  name: SegmentName,
  readable: (file: File) => ReadableFile = (file) => file,
): SegmentFacts {
  const file = formatSegmentName(name);
  const path = `${directory}/${file}`;
  const blocks = Buffer.alloc(SEGMENT_DATA_START);
  const { size } = withFile(fileSystem, path, (opened) => {
    readAt(readable(opened), blocks, 0);
    return { size: opened.size() };
  });
  const copies = [0, 1].map((copy) =>
    decodeSegmentHeader(
      blocks.subarray(copy * HEADER_BLOCK_BYTES, (copy + 1) * HEADER_BLOCK_BYTES),
    ),
  );
  for (const copy of copies) {
    if (!isHeader(copy) && copy.kind === 'unsupported') throw unsupported(path, copy.reason);
  }
  const header = copies.find(isHeader);
  const damaged = copies.findIndex((copy) => !isHeader(copy));
  return {
    name,
    file,
    path,
    size,
    header,
    damagedCopy: header === undefined || damaged === -1 ? undefined : (damaged as 0 | 1),
  };
}

/** Opens for reading, closes whatever happens. */
export function withFile<Result>(
  fileSystem: FileSystem,
  path: string,
  work: (file: File) => Result,
): Result {
  const file = openToRead(fileSystem, path);
  try {
    return work(file);
  } finally {
    file.close();
  }
}

/** Throws `WAL_READ_FAILED` for whatever hinders it: a file that cannot be opened is not an empty file. */
export function openToRead(fileSystem: FileSystem, path: string): File {
  try {
    return fileSystem.open(path, 'read');
  } catch (error) {
    throw readFailed(path, 0, error);
  }
}

export function readAt(file: ReadableFile, target: Buffer, position: number): number {
  try {
    return file.read(target, position);
  } catch (error) {
    throw readFailed(file.path, position, error);
  }
}

export function unsupported(path: string, reason: string): WalError {
  return new WalError(
    'WAL_UNSUPPORTED_FORMAT',
    `${path} was written by a newer version: ${reason}; nothing was changed`,
    { file: path, reason },
  );
}

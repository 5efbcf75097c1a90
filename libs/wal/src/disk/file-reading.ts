import { errorCode } from '@holdfast/kernel';
import { readFailed } from '../wal.errors.js';
import type { File, FileSystem, ReadableFile } from './file-system.js';

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

/**
 * The whole of a small file, or undefined when there is none. At most `bytesMax` bytes of it.
 *
 * @throws `WAL_READ_FAILED`: for any other reason. A file that cannot be read is not a missing file.
 */
export function readSmallFile(
  fileSystem: FileSystem,
  path: string,
  bytesMax: number,
): Buffer | undefined {
  try {
    const file = fileSystem.open(path, 'read');
    try {
      const content = Buffer.alloc(Math.min(file.size(), bytesMax));
      return content.subarray(0, file.read(content, 0));
    } finally {
      file.close();
    }
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw readFailed(path, 0, error);
  }
}

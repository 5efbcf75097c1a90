import { dirname } from 'node:path';
import { errorCode } from '@holdfast/kernel';
import type { StoredBlock } from '../format/block-codec.js';

/**
 * The few file operations that the log is made of. Everything the log does to a disk goes through this port, so that a
 * simulated disk can play every crash. Positional reads and writes only; paths are absolute; failures carry Node's
 * codes (`ENOSPC`, `EIO`, `EEXIST`, `ENOENT` …).
 */
export interface FileSystem {
  /** Names in the directory, in no order. Throws `ENOENT`. */
  list(directory: string): string[];
  exists(path: string): boolean;
  /** One level. Throws `EEXIST`. Not durable until the parent is synced. */
  makeDirectory(path: string): void;
  /**
   * `read`: an existing file. `write`: an existing file, for reading and writing. `create`: a new file; throws `EEXIST`, because
   * opening with truncation could destroy a file that still has a second name.
   */
  open(path: string, mode: 'read' | 'write' | 'create'): File;
  /**
   * Whether this path leads to the file that is open here, by device and inode: a file of the same name in a directory that has taken the place of ours, or one that was renamed over it,
   * is another one. While it is open its number goes to no other.
   */
  isAt(file: File, path: string): boolean;
  /** Gives a file its final name and never replaces another: throws `EEXIST`. The old name goes. */
  publish(from: string, to: string): Promise<void>;
  /** Replaces `to` atomically. */
  rename(from: string, to: string): void;
  unlink(path: string): void;
  /** Makes creations, renames and removals in the directory durable. */
  syncDirectory(directory: string): void;
  syncDirectoryAsync(directory: string): Promise<void>;
  /** An exclusive lock of the operating system, freed when the file is closed or the process dies. False when another has it. */
  tryLock(file: File): boolean;
  /** True for a file system of a network, a cluster or another program, whose locks, syncs and cache cannot be trusted. Of a path that does not exist, by the deepest directory above it that does. */
  isNetwork(directory: string): boolean;
  /** Of the volume that the directory is on: how large it is, and what of it we may still write. Zeros where it does not say. */
  space(directory: string): { readonly totalBytes: number; readonly freeBytes: number };
  /**
   * The identity (device and inode) of the directory and of each one above it, itself first, with links followed; of a path that does not exist, from the deepest
   * directory above it that does. Two paths that share one lie in the same directory, however they are spelt, linked or mounted.
   */
  ancestry(path: string): readonly string[];
  /** In the background: creates a file of zeros that are allocated, written and synced. Throws `EEXIST`, `ENOSPC`. */
  createZeroed(path: string, bytes: number): Promise<void>;
  /** In the background: SHA-256 of the first `bytes` bytes. */
  sha256(path: string, bytes: number): Promise<Uint8Array>;
  /** In the background: each stretch of `blockBytes`, the last one shorter, compressed by itself; as it is where that does not make it smaller. */
  compress(bytes: Uint8Array, blockBytes: number): Promise<Uint8Array[]>;
  /**
   * In the background: reads the blocks, checks and expands each, and gives the SHA-256 of the first `bytes` bytes of what they hold together. Throws
   * with the code `EBADMSG` when one is not what was written.
   */
  sha256OfBlocks(path: string, blocks: readonly StoredBlock[], bytes: number): Promise<Uint8Array>;
  /** Ends background workers. */
  close(): Promise<void>;
}

export interface File {
  readonly path: string;
  size(): number;
  /** Fills `target` from `position`; returns the bytes read, fewer only at the end of the file. */
  read(target: Uint8Array, position: number): number;
  /** As `read`, off the main thread where that is possible. */
  readAsync(target: Uint8Array, position: number): Promise<number>;
  /** May write fewer bytes than given: see `writeFully`. */
  write(source: Uint8Array, position: number): number;
  writeAsync(source: Uint8Array, position: number): Promise<number>;
  dataSync(): void;
  dataSyncAsync(): Promise<void>;
  truncate(bytes: number): void;
  close(): void;
}

/** As much of a file as a reader needs. */
export type ReadableFile = Pick<File, 'path' | 'size' | 'read' | 'close'>;

/**
 * Writes all of it. A write that comes back short without an error has met a full disk or a limit whose error was
 * swallowed below us; the next write brings that error to light, or there is no progress and we say so.
 */
export function writeFully(file: File, source: Uint8Array, position: number): void {
  let done = 0;
  while (done < source.length) {
    const written = file.write(done === 0 ? source : source.subarray(done), position + done);
    if (written <= 0) throw noProgress(file);
    done += written;
  }
}

/** As `writeFully`, in the thread pool. */
export async function writeFullyAsync(
  file: File,
  source: Uint8Array,
  position: number,
): Promise<void> {
  let done = 0;
  while (done < source.length) {
    const written = await file.writeAsync(
      done === 0 ? source : source.subarray(done),
      position + done,
    );
    if (written <= 0) throw noProgress(file);
    done += written;
  }
}

function noProgress(file: File): Error {
  return Object.assign(new Error(`ENOSPC: a write to ${file.path} made no progress`), {
    code: 'ENOSPC',
  });
}

export function removeIfThere(fileSystem: FileSystem, path: string): void {
  try {
    fileSystem.unlink(path);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}

/** Removes a file that came to nothing, as far as the disk lets us: whoever gives it up has an error of its own to tell, and what is left is a stray. */
export function discard(fileSystem: FileSystem, path: string): void {
  try {
    fileSystem.unlink(path);
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
  }
}

/** Makes a temporary file and gives it its name. Where that fails, nothing of the file is left. */
export async function orDiscard<T>(
  fileSystem: FileSystem,
  temporary: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    discard(fileSystem, temporary);
    throw error;
  }
}

/**
 * One level, with its entry durable in its parent when this returns; also that of one which is found: whoever made it may have been killed before the sync, and what is put into it may be relied
 * on. Throws `ENOENT` without the parent. Crash in between: a directory with nothing in it, or none.
 */
export function ensureDirectory(fileSystem: FileSystem, directory: string): void {
  const found = fileSystem.exists(directory);
  try {
    if (!found) fileSystem.makeDirectory(directory);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
  try {
    fileSystem.syncDirectory(dirname(directory));
  } catch (error) {
    // Where we may not even look we cannot have made anything.
    if (!found || errorCode(error) !== 'EACCES') throw error;
  }
}

export interface ReplaceOptions {
  /** A name of one's own, where two may replace the same file: neither then renames what the other has written. Ends in `.tmp`. */
  readonly temporaryName?: string;
  /** Asked when the temporary file stands. May throw: then nothing has changed. */
  readonly beforeRename?: () => void;
  /** Told when the new content has the name, which may not be durable: whoever reads the file finds it. */
  readonly afterRename?: () => void;
}

/**
 * Replaces a small file: temporary file, sync, rename, directory sync. A crash before the rename is durable leaves the old
 * content and perhaps a `.tmp` that the next open removes; after it, the new content, which was synced before it got its name. A failure leaves no `.tmp`.
 *
 * @throws the errors of the disk, and what `beforeRename` throws.
 */
export function replaceFile(
  fileSystem: FileSystem,
  directory: string,
  name: string,
  content: Uint8Array,
  options: ReplaceOptions = {},
): void {
  const temporary = `${directory}/${options.temporaryName ?? `${name}.tmp`}`;
  if (fileSystem.exists(temporary)) fileSystem.unlink(temporary);
  const file = fileSystem.open(temporary, 'create');
  try {
    try {
      writeFully(file, content, 0);
      file.dataSync();
    } finally {
      file.close();
    }
    options.beforeRename?.();
    fileSystem.rename(temporary, `${directory}/${name}`);
  } catch (error) {
    discard(fileSystem, temporary);
    throw error;
  }
  options.afterRename?.();
  fileSystem.syncDirectory(directory);
}

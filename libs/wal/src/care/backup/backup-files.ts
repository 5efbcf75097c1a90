import { createHash } from 'node:crypto';
import { errorCode } from '@holdfast/kernel';
import { chunkOf, COPY_BYTES, copyToNewFile } from '../../disk/file-copy.js';
import { openToRead, withFile } from '../../disk/file-reading.js';
import { type File, type FileSystem, orDiscard } from '../../disk/file-system.js';
import type { VisibleBound } from '../../read/log-cursor.js';
import type { CatalogEntry, SegmentCatalog } from '../../read/segment-catalog.js';
import { isRotten, saidBySystem } from '../../wal.errors.js';
import type { BackupFile } from './backup-manifest.js';
import { refused } from './backup-target.js';

/** A file that travels along, open from the moment the backup was asked for: whoever prunes it meanwhile takes its name, and not what is read here. */
export interface TravellingFile {
  readonly name: string;
  readonly file: File;
}

/** Opens them all, or none. The caller closes them. */
export function openFiles(
  fileSystem: FileSystem,
  files: readonly { readonly name: string; readonly path: string }[],
): readonly TravellingFile[] {
  const opened: TravellingFile[] = [];
  try {
    for (const { name, path } of files) opened.push({ name, file: openToRead(fileSystem, path) });
    return opened;
  } catch (error) {
    for (const { file } of opened) file.close();
    throw error;
  }
}

/** What a file holds now. */
export interface DigestedFile extends TravellingFile {
  readonly bytes: number;
  readonly sha256: string;
}

export async function digestFile({ name, file }: TravellingFile): Promise<DigestedFile> {
  const bytes = file.size();
  return { name, file, bytes, sha256: await digestOf(file, bytes) };
}

/**
 * Copies a file under its digest; durable, and compared in length and content, when it resolves. What is there already is read, and counts only when it is the same. Throws `WAL_BACKUP_REFUSED`
 * when the source has changed since it was read.
 */
export async function copyFile(
  fileSystem: FileSystem,
  { file: source, bytes, sha256 }: DigestedFile,
  directory: string,
): Promise<void> {
  const target = `${directory}/${sha256}`;
  const temporary = `${target}.tmp`;
  const holds = async (): Promise<boolean> =>
    (await lookAtFile(fileSystem, directory, { bytes, sha256 })) === 'whole';
  if (!(await holds())) {
    await orDiscard(fileSystem, temporary, async () => {
      await copyToNewFile(fileSystem, source, temporary, bytes);
      // What bears this name has rotted, or could not be read just now: then it is what BACKUP names, and is never missing.
      fileSystem.rename(temporary, target);
    });
    if (!(await holds())) throw refused(directory, `${source.path} changed while it was copied`);
  }
  fileSystem.syncDirectory(directory);
}

/** What a backup has of a file. What cannot be read just now may be whole the next time. */
export async function lookAtFile(
  fileSystem: FileSystem,
  directory: string,
  { bytes, sha256 }: Pick<BackupFile, 'bytes' | 'sha256'>,
): Promise<'whole' | 'another' | 'unreadable'> {
  const path = `${directory}/${sha256}`;
  try {
    if (withFile(fileSystem, path, (file) => file.size()) !== bytes) return 'another';
    const digest = Buffer.from(await fileSystem.sha256(path, bytes)).toString('hex');
    return digest === sha256 ? 'whole' : 'another';
  } catch (error) {
    if (errorCode(saidBySystem(error)) === 'ENOENT') return 'another';
    if (isRotten(error)) return 'unreadable';
    throw error;
  }
}

/** Of the open file: by its name it may be gone. */
async function digestOf(source: File, bytes: number): Promise<string> {
  const hash = createHash('sha256');
  for (let at = 0; at < bytes; at += COPY_BYTES) hash.update(await chunkOf(source, bytes, at));
  return hash.digest('hex');
}

/** What of a log is backed up: everything up to a durable bound, which never changes again. */
export interface BackupSource {
  readonly fileSystem: FileSystem;
  readonly catalog: SegmentCatalog;
  /** As they were when the bound was the end; finished, those that were sealed then. */
  readonly entries: readonly CatalogEntry[];
  readonly bound: VisibleBound;
  readonly logId: string;
  /** Of the place before the log's first sequence. */
  timelineBefore(sequence: number): string | undefined;
  readonly nowMicros: number;
  /** What travels along. */
  readonly files: readonly TravellingFile[];
}

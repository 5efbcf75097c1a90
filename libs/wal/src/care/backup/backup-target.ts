import { LOST_AND_FOUND } from '@holdfast/kernel';
import { readSmallFile, withFile } from '../../disk/file-reading.js';
import {
  ensureDirectory,
  type File,
  type FileSystem,
  replaceFile,
} from '../../disk/file-system.js';
import { checkedLines, withChecksum } from '../../format/checked-lines.js';
import { WalError } from '../../wal.errors.js';
import { readBackupManifest } from './backup-manifest.js';

/** Says that the directory is ours, and of which log: only then is anything in it removed. */
const MARKER = 'BACKUP-OF';
const TITLE = 'holdfast-wal-backup-of 1';
const MARKER_BYTES_MAX = 1024;
const LOCK = 'LOCK';

/**
 * Takes a directory for the backups of a log: a new or empty one, one that carries our mark with this log's id, or one in which an earlier version has made a backup of this log. Anything
 * else is refused and not touched, as is a place inside of the live data or around it. Nobody else makes a backup there until the lock is closed.
 *
 * The mark is durable before anything else is written: crash anywhere before, and the directory is empty, or holds nothing but the lock and a temporary file, which counts as empty.
 * Throws `WAL_BACKUP_REFUSED`, `WAL_BACKUP_DAMAGED`.
 */
export function claimTarget(
  fileSystem: FileSystem,
  directory: string,
  logId: string,
  live: readonly string[],
): File {
  assertApart(fileSystem, directory, live);
  if (fileSystem.exists(directory)) assertOurs(fileSystem, directory, logId);
  ensureDirectory(fileSystem, directory);
  const lock = lockDirectory(fileSystem, directory);
  try {
    // Once more: the backup of another log may have begun here meanwhile.
    if (!assertOurs(fileSystem, directory, logId)) mark(fileSystem, directory, logId);
    return lock;
  } catch (error) {
    lock.close();
    throw error;
  }
}

/** By device and inode of every directory above, so that neither a link nor a second mount hides it. */
function assertApart(fileSystem: FileSystem, directory: string, live: readonly string[]): void {
  const above = fileSystem.ancestry(directory);
  const [self] = fileSystem.exists(directory) ? above : [];
  for (const path of live) {
    if (!fileSystem.exists(path)) continue;
    const [own, ...others] = fileSystem.ancestry(path);
    if (own !== undefined && above.includes(own))
      throw refused(directory, `it lies in ${path}, which belongs to the live data`);
    if (self !== undefined && others.includes(self))
      throw refused(directory, `${path} lies in it, which belongs to the live data`);
  }
}

/** Whether the mark is there. Throws unless the directory is empty or holds backups of this log. */
function assertOurs(fileSystem: FileSystem, directory: string, logId: string): boolean {
  const marked = markedLog(fileSystem, directory);
  // The backup of an earlier version has no mark, and is known by what it says of itself.
  const owners = [marked, readBackupManifest(fileSystem, directory)?.logId];
  const known = owners.filter((owner) => owner !== undefined);
  if (known.some((owner) => owner !== logId))
    throw refused(directory, 'it is the backup of another log');
  if (known.length === 0 && !isEmpty(fileSystem, directory))
    throw refused(directory, 'it holds what is not of a backup of this log; nothing was changed');
  return marked !== undefined;
}

function markedLog(fileSystem: FileSystem, directory: string): string | undefined {
  const content = readSmallFile(fileSystem, `${directory}/${MARKER}`, MARKER_BYTES_MAX);
  if (content === undefined) return undefined;
  const [title, line] = checkedLines(content.toString('latin1')) ?? [];
  const logId = /^log-id ([0-9a-f]{32})$/.exec(line ?? '')?.[1];
  if (title === TITLE && logId !== undefined) return logId;
  throw refused(directory, `its ${MARKER} is not one of ours, or is damaged`);
}

function isEmpty(fileSystem: FileSystem, directory: string): boolean {
  return fileSystem.list(directory).every((file) => {
    if (file === LOCK)
      return withFile(fileSystem, `${directory}/${file}`, (lock) => lock.size()) === 0;
    return file === `${MARKER}.tmp` || file === LOST_AND_FOUND;
  });
}

function mark(fileSystem: FileSystem, directory: string, logId: string): void {
  const lines = [TITLE, `log-id ${logId}`];
  replaceFile(fileSystem, directory, MARKER, Buffer.from(withChecksum(lines), 'latin1'));
}

function lockDirectory(fileSystem: FileSystem, directory: string): File {
  const path = `${directory}/${LOCK}`;
  const lock = fileSystem.open(path, fileSystem.exists(path) ? 'write' : 'create');
  try {
    if (fileSystem.tryLock(lock)) return lock;
  } catch (error) {
    lock.close();
    throw error;
  }
  lock.close();
  throw refused(directory, 'another backup is being made there');
}

/** Removes, of the names that only we give, those that do not count any more; durable when it returns. */
export function removeOurs(
  fileSystem: FileSystem,
  directory: string,
  isOurs: RegExp,
  counts: (file: string) => boolean,
): void {
  if (!fileSystem.exists(directory)) return;
  const left = fileSystem.list(directory).filter((file) => isOurs.test(file) && !counts(file));
  for (const file of left) fileSystem.unlink(`${directory}/${file}`);
  if (left.length > 0) fileSystem.syncDirectory(directory);
}

export function refused(directory: string, reason: string): WalError {
  return new WalError('WAL_BACKUP_REFUSED', `${directory}: ${reason}`, { directory, reason });
}

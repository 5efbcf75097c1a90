import { accessSync, constants, existsSync, lstatSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { CodedError, errorCode, errorMessage } from '@holdfast/kernel';

/** What a process does in a directory. `make`: it writes there, and makes the directory if there is none. */
export type DirectoryUse = 'read' | 'write' | 'make';

/** Where a log and what is made of it are, or are to be. */
export interface DataPlaces {
  readonly walDirectory: string;
  /** State and snapshots, if they are kept on this disk. */
  readonly derivedDirectories: readonly string[];
  /** Only kept apart from the archive: commands go on whatever befalls read models, and these when their volume is there. */
  readonly readModelDirectory?: string | undefined;
  readonly archiveDirectory?: string | undefined;
  /** Makes the log if there is none. */
  readonly create: boolean;
  /** Writes the archive; otherwise what is there is read. */
  readonly archives?: boolean;
}

/**
 * The one way in which a service opens a log of its own, of whatever domain: looks whether everything can be used, and opens it then. Throws `RESTORE_UNFINISHED`, and
 * `DATA_DIRECTORY_UNUSABLE` before anything is made where a directory cannot be used, and for a file in it that cannot; and what `open` throws.
 */
export async function openData<Opened>(
  places: DataPlaces,
  open: () => Promise<Opened>,
): Promise<Opened> {
  const { walDirectory, derivedDirectories, readModelDirectory, archiveDirectory } = places;
  const { create, archives = false } = places;
  assertNoUnfinishedRestore(walDirectory);
  assertNoLogAbove(walDirectory);
  if (archiveDirectory !== undefined)
    assertArchiveApart(archiveDirectory, [
      ...[walDirectory, ...derivedDirectories],
      ...(readModelDirectory === undefined ? [] : [readModelDirectory]),
    ]);
  assertUsableDirectory(walDirectory, create ? 'make' : 'write');
  // The rest is made of the log, and only where there is one.
  for (const directory of derivedDirectories) assertUsableDirectory(directory, 'write');
  if (archiveDirectory !== undefined)
    assertUsableDirectory(archiveDirectory, archives ? 'write' : 'read');
  try {
    return await open();
  } catch (error) {
    throw asUnusable(error, walDirectory);
  }
}

/** What the operating system says where another start of the same program fails in the same way. */
const UNUSABLE: ReadonlySet<string | undefined> = new Set([
  ...['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'ELOOP'],
]);

/**
 * Throws `DATA_DIRECTORY_UNUSABLE` for a directory that cannot be used so, and changes nothing. One that is not there and is not to be made
 * is left to whoever opens it, who says what is missing.
 */
export function assertUsableDirectory(path: string, use: DirectoryUse): void {
  const directory = resolve(path);
  try {
    const found = nearestThatIsThere(directory);
    // A link to nothing is there, and is no directory.
    if (statSync(found, { throwIfNoEntry: false })?.isDirectory() !== true)
      throw unusable(directory, `${found} is not a directory`);
    if (found !== directory && use !== 'make') return;
    const { R_OK, W_OK, X_OK } = constants;
    accessSync(found, X_OK | (use === 'read' ? R_OK : W_OK) | (found === directory ? R_OK : 0));
  } catch (error) {
    throw asUnusable(error, directory);
  }
}

/**
 * Throws `DATA_DIRECTORY_UNUSABLE` where the archive is one of the others, lies in one, or holds one: what archives, and what keeps the others in order, removes what it does not
 * know. Links are followed.
 */
export function assertArchiveApart(archive: string, others: readonly string[]): void {
  const own = placeOf(archive);
  for (const other of others) {
    const theirs = placeOf(other);
    if (!isWithin(own, theirs) && !isWithin(theirs, own)) continue;
    throw new CodedError(
      'DATA_DIRECTORY_UNUSABLE',
      `${resolve(archive)} cannot be the archive: it is ${resolve(other)}, lies in it, or holds it; name another (HOLDFAST_ARCHIVE_DIRECTORY of the ledger)`,
      { path: resolve(archive), other: resolve(other) },
    );
  }
}

function placeOf(path: string): string {
  const directory = resolve(path);
  const found = nearestThatIsThere(directory);
  try {
    return resolve(realpathSync(found), relative(found, directory));
  } catch {
    // A link to nothing, which is told of elsewhere.
    return directory;
  }
}

function isWithin(path: string, above: string): boolean {
  const way = relative(above, path);
  return way !== '..' && !way.startsWith(`..${sep}`);
}

/** Where a restore works until the log gets its name: inside of a data directory that is there, otherwise beside the one to be. */
export function unfinishedRestores(target: string): {
  readonly inside: string;
  readonly beside: string;
} {
  return { inside: join(target, 'restoring'), beside: `${target}.restoring` };
}

/**
 * Throws `RESTORE_UNFINISHED` where a restore is at work, or was killed, at the place of a log that is not there yet: a log that is begun there would be empty, and
 * stand in the place of the restored one.
 */
export function assertNoUnfinishedRestore(walDirectory: string): void {
  if (existsSync(walDirectory)) return;
  const { inside, beside } = unfinishedRestores(dirname(resolve(walDirectory)));
  const unfinished = [inside, beside].find((path) => existsSync(path));
  if (unfinished === undefined) return;
  throw new CodedError(
    'RESTORE_UNFINISHED',
    `${unfinished} is a restore that has not ended: wait for it, or, if it was killed, remove it and restore again`,
    { path: unfinished },
  );
}

/**
 * Throws `DATA_DIRECTORY_UNUSABLE` where no log is, and the directory above is one, as `holdfast wal salvage` makes it: a log that is begun there would be empty, and stand in the
 * place of that one.
 */
export function assertNoLogAbove(walDirectory: string): void {
  const above = dirname(resolve(walDirectory));
  if (existsSync(walDirectory) || !existsSync(join(above, 'MANIFEST'))) return;
  throw new CodedError(
    'DATA_DIRECTORY_UNUSABLE',
    `${above} is a log itself, and no data directory: move it to where ${resolve(walDirectory)} is to be, and nothing else with it, or name the directory that holds wal (HOLDFAST_DATA_DIRECTORY of the ledger)`,
    { path: above },
  );
}

/** What was thrown, as `DATA_DIRECTORY_UNUSABLE` if it says that files at or below the path may not be used. */
export function asUnusable(error: unknown, path: string): unknown {
  if (!UNUSABLE.has(errorCode(error))) return error;
  const { path: named = path } = error as NodeJS.ErrnoException;
  return unusable(named, errorMessage(error), error);
}

function nearestThatIsThere(path: string): string {
  let found = path;
  while (found !== dirname(found) && isMissing(found)) found = dirname(found);
  return found;
}

function isMissing(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) === undefined;
  } catch (error) {
    // Something above it is a file, which the walk upwards finds.
    if (errorCode(error) === 'ENOTDIR') return true;
    throw error;
  }
}

function unusable(path: string, reason: string, cause?: unknown): CodedError {
  const user = process.getuid?.();
  const who = user === undefined ? 'the user of this process' : `user ${user}`;
  return new CodedError(
    'DATA_DIRECTORY_UNUSABLE',
    `${path} cannot be used: ${reason}. It must be a directory that ${who} may use, on a file system that is not mounted read-only; or name another (HOLDFAST_DATA_DIRECTORY of the ledger)`,
    { path, user },
    cause === undefined ? {} : { cause },
  );
}

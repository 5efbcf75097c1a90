import { accessSync, constants, lstatSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { errorMessage } from '@holdfast/kernel';
import { ImportError } from './import.errors.js';

/** A file of an import, and what it is to the user. */
export interface NamedFile {
  readonly what: string;
  readonly path: string;
}

/** Throws `IMPORT_OPTION_INVALID` where a file that is written is one that is read, or that is written for something else, by whatever name. */
export function refuseFilesTwice(read: readonly NamedFile[], written: readonly NamedFile[]): void {
  for (const [index, file] of written.entries())
    for (const other of [...read, ...written.slice(0, index)])
      if (isSameFile(file.path, other.path))
        throw new ImportError(
          'IMPORT_OPTION_INVALID',
          `${file.what} ${file.path} is ${other.what} ${other.path}, which would be overwritten: name another file`,
          { file: file.path },
        );
}

/** Throws `IMPORT_OPTION_INVALID` where a file cannot be made, written and replaced, by the option that names another. */
export function assertWritable(path: string, option: string): void {
  const problem = unwritable(path);
  if (problem === undefined) return;
  throw new ImportError(
    'IMPORT_OPTION_INVALID',
    `${path === '' ? '""' : path} cannot be written: ${problem}: name another file with ${option}`,
    { file: path },
  );
}

function unwritable(path: string): string | undefined {
  if (path === '') return 'it has no name';
  if (path.endsWith('/')) return 'it is no file';
  try {
    // The dot: what is no directory says so.
    accessSync(`${dirname(path)}/.`, constants.W_OK | constants.X_OK);
    const found = statSync(path, { throwIfNoEntry: false });
    const isLink = lstatSync(path, { throwIfNoEntry: false }) !== undefined;
    if (found === undefined) return isLink ? 'it is a link to a file that is not there' : undefined;
    if (!found.isFile()) return 'it is no file';
    accessSync(path, constants.W_OK);
    return undefined;
  } catch (error) {
    return errorMessage(error);
  }
}

function isSameFile(one: string, other: string): boolean {
  if (placeOf(one) === placeOf(other)) return true;
  const [inode, otherInode] = [inodeOf(one), inodeOf(other)];
  return inode !== undefined && inode === otherInode;
}

export function placeOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    // It is not there yet.
  }
  try {
    return join(realpathSync(dirname(path)), basename(path));
  } catch {
    return resolve(path);
  }
}

function inodeOf(path: string): string | undefined {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found && `${found.dev}:${found.ino}`;
}

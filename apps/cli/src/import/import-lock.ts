import { closeSync, fstatSync, openSync, readSync, rmSync, statSync, writeSync } from 'node:fs';
import { errorCode, errorMessage } from '@holdfast/kernel';
import { tryLock } from 'fs-native-extensions';
import { ImportError } from './import.errors.js';

/** By it a lock that an ended process has left is told from somebody's file. */
const CONTENT = Buffer.from('lock of holdfast import\n');

/** Each costs another import that ends in just that moment. */
const TRIES_MAX = 100;

/** Keeps other imports away from the files that this one writes. The kernel lets go of it when the process dies. */
export class ImportLock {
  private constructor(
    private readonly path: string,
    private readonly file: number,
    private readonly isOurs: boolean,
  ) {}

  /** Throws `IMPORT_RUNNING`, and `IMPORT_OPTION_INVALID` for a file that is no lock or cannot be opened. */
  static take(path: string): ImportLock {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const opened = openedAt(path);
      if (opened === 'gone') continue;
      const lock = locked(path, opened);
      if (lock !== undefined) return new ImportLock(path, opened.file, lock.isOurs);
      // Whoever held it has removed it meanwhile.
      closeSync(opened.file);
    }
    throw running(path);
  }

  /** One that was there empty, and may be somebody's, stays. */
  release(): void {
    if (this.isOurs) rmSync(this.path, { force: true });
    closeSync(this.file);
  }
}

interface OpenLock {
  readonly file: number;
  readonly isNew: boolean;
}

/** Undefined when the file is at the path no more. */
function locked(path: string, { file, isNew }: OpenLock): { isOurs: boolean } | undefined {
  const content = contentOf(file);
  const isOurs = isNew || content.equals(CONTENT);
  if (!isOurs && content.length > 0) {
    closeSync(file);
    throw new ImportError(
      'IMPORT_OPTION_INVALID',
      `${path} is no lock of an import, and would be overwritten: name another file with --progress, or move it away`,
      { file: path },
    );
  }
  if (!tryLock(file)) {
    closeSync(file);
    throw running(path);
  }
  if (!isAt(file, path)) return undefined;
  if (isNew) writeSync(file, CONTENT);
  return { isOurs };
}

function running(path: string): ImportError {
  return new ImportError(
    'IMPORT_RUNNING',
    `another import writes the same files: wait for it, or name others with --rejects and --progress`,
    { lock: path },
  );
}

/** Without a lock another import would write the same files. */
function unusable(path: string, error: unknown): ImportError {
  return new ImportError(
    'IMPORT_OPTION_INVALID',
    `the lock ${path} cannot be opened: ${errorMessage(error)}: name other files with --rejects and --progress, or remove it`,
    { file: path },
  );
}

function openedAt(path: string): OpenLock | 'gone' {
  try {
    return { file: openSync(path, 'wx+'), isNew: true };
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw unusable(path, error);
  }
  try {
    return { file: openSync(path, 'r+'), isNew: false };
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return 'gone';
    throw unusable(path, error);
  }
}

/** As much of it as tells whether it is the lock's. */
function contentOf(file: number): Buffer {
  const content = Buffer.alloc(CONTENT.length + 1);
  return content.subarray(0, readSync(file, content, 0, content.length, 0));
}

function isAt(file: number, path: string): boolean {
  const [held, named] = [
    fstatSync(file, { bigint: true }),
    statSync(path, { bigint: true, throwIfNoEntry: false }),
  ];
  return held.ino === named?.ino && held.dev === named.dev;
}

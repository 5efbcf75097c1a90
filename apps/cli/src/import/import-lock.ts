import { closeSync, fstatSync, openSync, rmSync, statSync } from 'node:fs';
import { tryLock } from 'fs-native-extensions';
import { ImportError } from './import.errors.js';

/** Keeps other imports away from the files that this one writes. The kernel lets go of it when the process dies. */
export class ImportLock {
  private constructor(
    private readonly path: string,
    private readonly file: number,
  ) {}

  /** Undefined where no file can be made, and so nothing be written. Throws `IMPORT_RUNNING`. */
  static take(path: string): ImportLock | undefined {
    for (;;) {
      const file = opened(path);
      if (file === undefined) return undefined;
      if (!tryLock(file)) {
        closeSync(file);
        throw new ImportError(
          'IMPORT_RUNNING',
          `another import writes the same files: wait for it, or name others with --rejects and --progress`,
          { lock: path },
        );
      }
      if (isAt(file, path)) return new ImportLock(path, file);
      // Whoever held it has removed it meanwhile.
      closeSync(file);
    }
  }

  release(): void {
    rmSync(this.path, { force: true });
    closeSync(this.file);
  }
}

function opened(path: string): number | undefined {
  try {
    return openSync(path, 'a');
  } catch {
    return undefined;
  }
}

function isAt(file: number, path: string): boolean {
  const [held, named] = [
    fstatSync(file, { bigint: true }),
    statSync(path, { bigint: true, throwIfNoEntry: false }),
  ];
  return held.ino === named?.ino && held.dev === named.dev;
}

import * as fs from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/**
 * What was made, renamed or removed in the directory is so after a power cut.
 *
 * @throws the errors of the disk.
 */
export function syncDirectory(directory: string): void {
  const descriptor = fs.openSync(directory, 'r');
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

/** As above, and holds up nobody meanwhile. */
export async function syncDirectoryAsync(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/**
 * Makes a directory, and those above it that are missing. When it returns, a power cut takes none of them back with what is put into it later. The entry of one
 * that is there already is synced too, because whoever made it may have died before it came to that. The answer is the highest that it has made, undefined for none.
 *
 * @throws the errors of the disk.
 */
export function makeDurableDirectory(path: string): string | undefined {
  const directory = resolve(path);
  const first = fs.mkdirSync(directory, { recursive: true });
  for (let made = directory; made !== dirname(made); made = dirname(made)) {
    try {
      syncDirectory(dirname(made));
    } catch (error) {
      // Where this process may not even look it cannot have made anything.
      if (first !== undefined || (error as { code?: unknown }).code !== 'EACCES') throw error;
    }
    if (made === (first ?? directory)) break;
  }
  return first;
}

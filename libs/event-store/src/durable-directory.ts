import * as fs from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/**
 * Makes creations, renames and removals in the directory survive a power cut.
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

/** As above, without blocking the event loop. */
export async function syncDirectoryAsync(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/**
 * Creates a directory and the missing ones above it, and makes them survive a power cut. The entry of an existing directory is synced too, because the
 * process that created it may have died before its sync. Returns the highest directory that it created, or undefined.
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

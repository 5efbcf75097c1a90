import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const PRIVATE = 0o600;

/** What can be read once, such as standard input, as a file that can be read again. */
export interface SpooledInput {
  readonly path: string;
  remove(): void;
}

/** Whole, or nothing is left of it. */
export async function spoolInput(input: Readable, signal: AbortSignal): Promise<SpooledInput> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-import-'));
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  const path = join(directory, 'stdin');
  try {
    await pipeline(input, createWriteStream(path, { mode: PRIVATE }), { signal });
    return { path, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

import { resolve } from 'node:path';

/** The root of the repository: jest runs there. */
export const ROOT = process.cwd();

/** A path in the repository. */
export function inRepository(...parts: readonly string[]): string {
  return resolve(ROOT, ...parts);
}

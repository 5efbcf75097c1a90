import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** What may change when a service refuses to start: who holds the log. */
const OWNERSHIP = /^(?:LOCK|claim-.*)$/;

/** Every file below a directory with its size and hash, but for the lock and the claims. */
export function imageOf(directory: string): Readonly<Record<string, string>> {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !OWNERSHIP.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  return Object.fromEntries(
    files.map((path) => [
      path,
      `${statSync(path).size} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`,
    ]),
  );
}

/**
 * `npm run compat:add`: writes the golden log of the current format version to `test/compat/format-<version>/`. Run once, when a version of the format
 * is released; a directory that exists is never touched again, because it stands for bytes that are out there.
 */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { WAL_FORMAT_VERSION } from '@holdfast/wal';
import { writeGoldenLog } from './golden-log.js';

const directory = join('test/compat', `format-${WAL_FORMAT_VERSION}`);
if (existsSync(directory)) {
  console.error(`${directory} exists: released bytes do not change`);
  process.exit(1);
}
await writeGoldenLog(directory);
// What describes a living process is no part of the format.
for (const file of readdirSync(directory))
  if (/^(LOCK|claim-.*)$/.test(file)) rmSync(join(directory, file));
console.log(`written: ${directory}`);

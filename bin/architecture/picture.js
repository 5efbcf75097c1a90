/**
 * `npm run picture` draws docs/architecture.svg from what `npm run imports` measured. With `--check` it draws nothing and fails where the file is not what would be
 * drawn, an arrow between two folders runs up, or a folder or a file is too large.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { draw } from './draw.js';
import { CROWDED_FOLDERS, LONG_FILES } from './exceptions.js';
import { ROOT, architecture, circlesOf, readImports, roomOf } from './imports.js';
import { sizeFaults } from './sizes.js';

const PICTURE = join(ROOT, 'docs', 'architecture.svg');

const measured = readImports();
const drawn = architecture(measured);
const picture = draw(drawn);

if (process.argv.includes('--check')) check();
else writeFileSync(PICTURE, picture);

function check() {
  const textOf = (file) => readFileSync(join(ROOT, file), 'utf8');
  const exceptions = { crowdedFolders: CROWDED_FOLDERS, longFiles: LONG_FILES };
  const faults = [...upwards(), ...sizeFaults(measured.files, textOf, exceptions)];
  if (!existsSync(PICTURE) || readFileSync(PICTURE, 'utf8') !== picture)
    faults.push('docs/architecture.svg is not what the code gives: npm run picture draws it');
  for (const fault of faults) process.stderr.write(`${fault}\n`);
  if (faults.length > 0) process.exitCode = 1;
}

/** A room whose one crowded folder is being divided may have circles meanwhile. */
function upwards() {
  const divided = CROWDED_FOLDERS.map((folder) => roomOf(`${folder}/`));
  return circlesOf(drawn)
    .filter(({ name }) => !divided.includes(name))
    .map(({ name, within }) => `${name}: an arrow runs up between ${within.join(', ')}`);
}

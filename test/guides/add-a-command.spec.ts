import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';

const GUIDE = readFileSync('docs/how-to/add-a-command.md', 'utf8');
/** The command that the guide shows, however it is written. */
const NAMED = /change-?transfer-?metadata/i;

const sources = ['apps', 'libs', 'config']
  .flatMap((room) =>
    readdirSync(room, { recursive: true, encoding: 'utf8' }).map((file) => join(room, file)),
  )
  .filter((file) => /(?<![.-]spec)\.ts$/.test(file));

it('the guide to a new command lists every source file that names one', () => {
  const listed = Array.from(GUIDE.matchAll(/^\| `([^`]+)`/gm), ([, file]) => file);
  const naming = sources.filter((file) => NAMED.test(readFileSync(file, 'utf8')));
  expect(listed.toSorted()).toEqual(naming.toSorted());
  // So that adding a command stays a small change.
  expect(listed.length).toBeLessThanOrEqual(8);
});

it('the guide to a new command names files that are there', () => {
  const files = Array.from(GUIDE.matchAll(/`((?:libs|docs)\/[^`]+)`/g), ([, file]) => String(file));
  expect(files.filter((file) => !existsSync(file))).toEqual([]);
});

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { OPERATIONS_ERROR_GUIDE } from './error-guide.js';

const CODES = '(?:DATA_DIRECTORY|JOBS|WORK|BACKUP|RESTORE|ARCHIVE|OPERATIONS)_[A-Z_]+';

it('stands in docs/operations.md word for word, code by code', () => {
  const printed = readFileSync('docs/operations.md', 'utf8');
  const rows = printed.matchAll(new RegExp(`^\\| \`(${CODES})\` \\| (.*) \\| (.*) \\|$`, 'gm'));
  expect([...rows].map(([, code, meaning, action]) => ({ code, meaning, action }))).toEqual(
    Object.entries(OPERATIONS_ERROR_GUIDE).map(([code, advice]) => ({ code, ...advice })),
  );
});

it('has every code that is thrown', () => {
  const room = 'libs/operations/src';
  const files = readdirSync(room, { recursive: true, encoding: 'utf8' })
    .filter((file) => /(?<![.-]spec)\.ts$/.test(file))
    .map((file) => join(room, file));
  const sources = [...files, 'libs/event-store/src/usable-directory.ts']
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
  // As the first thing that an error is given: a code.
  const thrown = sources.matchAll(/new \w*(?:Error|Refused)\w*\(\s*'([A-Z]+_[A-Z_]+)'/g);
  expect([...new Set([...thrown].map(([, code]) => code))].sort()).toEqual(
    Object.keys(OPERATIONS_ERROR_GUIDE).sort(),
  );
});

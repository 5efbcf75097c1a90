import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { LEDGER_ERROR_GUIDE } from './ledger-error-guide.js';

const ROOMS = [
  'libs/administration/src',
  'libs/ledger/src',
  'libs/ledger-service/src',
  'libs/platform/src',
];
const CODES = '(?:LEDGER|POSTGRES|QUERIES|QUERY_THREAD|ADMIN_TOKEN|PORT)_[A-Z_]+';

it('stands in docs/operations.md word for word, code by code', () => {
  const printed = readFileSync('docs/operations.md', 'utf8');
  const rows = printed.matchAll(new RegExp(`^\\| \`(${CODES})\` \\| (.*) \\| (.*) \\|$`, 'gm'));
  expect([...rows].map(([, code, meaning, action]) => ({ code, meaning, action }))).toEqual(
    Object.entries(LEDGER_ERROR_GUIDE).map(([code, advice]) => ({ code, ...advice })),
  );
});

it('has every code that the ledger, its service and what serves it throw', () => {
  const sources = ROOMS.flatMap((room) =>
    readdirSync(room, { recursive: true, encoding: 'utf8' })
      .filter((file) => /(?<![.-]spec)\.ts$/.test(file))
      .map((file) => readFileSync(join(room, file), 'utf8')),
  ).join('\n');
  // As the first thing that an error is given: a code.
  const thrown = sources.matchAll(/new \w*(?:Error|Refused)\w*\(\s*'([A-Z]+_[A-Z_]+)'/g);
  expect([...new Set([...thrown].map(([, code]) => code))].sort()).toEqual(
    Object.keys(LEDGER_ERROR_GUIDE).sort(),
  );
});

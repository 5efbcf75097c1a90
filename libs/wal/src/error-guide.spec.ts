import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { WAL_ERROR_GUIDE } from './error-guide.js';

it('stands in docs/operations.md word for word, code by code', () => {
  const printed = readFileSync('docs/operations.md', 'utf8');
  const rows = [...printed.matchAll(/^\| `(WAL_[A-Z_]+)` \| (.*) \| (.*) \|$/gm)].map(
    ([, code, meaning, action]) => ({
      code,
      meaning,
      action,
    }),
  );
  expect(rows).toEqual(
    Object.entries(WAL_ERROR_GUIDE).map(([code, advice]) => ({ code, ...advice })),
  );
});

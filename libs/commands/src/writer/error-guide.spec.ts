import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { COMMANDS_ERROR_GUIDE } from './error-guide.js';

it('stands in docs/operations.md word for word, code by code', () => {
  const printed = readFileSync('docs/operations.md', 'utf8');
  const rows = printed.matchAll(/^\| `(COMMANDS?_[A-Z_]+)` \| (.*) \| (.*) \|$/gm);
  expect([...rows].map(([, code, meaning, action]) => ({ code, meaning, action }))).toEqual(
    Object.entries(COMMANDS_ERROR_GUIDE).map(([code, advice]) => ({ code, ...advice })),
  );
});

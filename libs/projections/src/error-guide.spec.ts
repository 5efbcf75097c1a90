import { expect, it } from '@jest/globals';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECTION_ERROR_GUIDE } from './error-guide.js';

const SOURCES = 'libs/projections/src';

it('stands in docs/operations.md word for word, code by code', () => {
  const printed = readFileSync('docs/operations.md', 'utf8');
  const rows = printed.matchAll(
    /^\| `((?:FEED|READ_MODEL|PROJECTION)_[A-Z_]+)` \| (.*) \| (.*) \|$/gm,
  );
  expect([...rows].map(([, code, meaning, action]) => ({ code, meaning, action }))).toEqual(
    Object.entries(PROJECTION_ERROR_GUIDE).map(([code, advice]) => ({ code, ...advice })),
  );
});

it('has every code that this library throws', () => {
  const sources = readdirSync(SOURCES, { encoding: 'utf8', recursive: true })
    .filter((file) => /^(?!testing).*(?<![.-]spec)\.ts$/.test(file))
    .map((file) => readFileSync(join(SOURCES, file), 'utf8'))
    .join();
  const thrown = sources.matchAll(/'((?:FEED|READ_MODEL|PROJECTION)_[A-Z_]+)'/g);
  const codes = new Set([...thrown].map(([, code]) => code));
  expect([...codes].sort()).toEqual(Object.keys(PROJECTION_ERROR_GUIDE).sort());
});

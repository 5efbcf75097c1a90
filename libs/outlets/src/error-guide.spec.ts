import { expect, it } from '@jest/globals';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { OUTLET_ERROR_GUIDE } from './error-guide.js';

const SOURCES = 'libs/outlets/src';

it('stands in docs/operations.md word for word, code by code', () => {
  const printed = readFileSync('docs/operations.md', 'utf8');
  const rows = printed.matchAll(/^\| `(OUTLET_[A-Z_]+)` \| (.*) \| (.*) \|$/gm);
  expect([...rows].map(([, code, meaning, action]) => ({ code, meaning, action }))).toEqual(
    Object.entries(OUTLET_ERROR_GUIDE).map(([code, advice]) => ({ code, ...advice })),
  );
});

it('has every code that this library throws', () => {
  const sources = readdirSync(SOURCES, { encoding: 'utf8', recursive: true })
    .filter((file) => /^(?!testing|error-guide).*(?<![.-]spec)\.ts$/.test(file))
    .map((file) => readFileSync(join(SOURCES, file), 'utf8'))
    .join();
  const thrown = sources.matchAll(/'(OUTLET_[A-Z_]+)'/g);
  const codes = new Set([...thrown].map(([, code]) => code));
  expect([...codes].sort()).toEqual(Object.keys(OUTLET_ERROR_GUIDE).sort());
});

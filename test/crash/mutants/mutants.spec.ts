import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';
import { MUTANTS } from './mutants.js';

const ROOT = new URL('../../../', import.meta.url);

/** A mutant that has gone stale would be noticed only when all of them run, which takes long. */
it('each mutant finds what it changes exactly once in its file', () => {
  const sources = new Map<string, string>();
  const sourceOf = (file: string): string => {
    const source = sources.get(file) ?? readFileSync(fileURLToPath(new URL(file, ROOT)), 'utf8');
    sources.set(file, source);
    return source;
  };
  const stale = MUTANTS.flatMap(({ name, file, find, replace }) => {
    const found = sourceOf(file).split(find).length - 1;
    return found === 1 && find !== replace ? [] : [{ name, file, found }];
  });
  expect(stale).toEqual([]);
});

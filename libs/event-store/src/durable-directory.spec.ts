import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { makeDurableDirectory } from './durable-directory.js';
import { assertWritable } from './state/model/state-fault.js';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'durable-directory-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

// That each is synced in the one above it is the probe "the names of a state on the disk" of `test:mutants`.
it('makes a directory with all that is missing above it, and takes one that is there', () => {
  const made = join(directory, 'data', 'more', 'snapshots');
  for (let attempt = 0; attempt < 2; attempt++) {
    makeDurableDirectory(made);
    expect(existsSync(made)).toBe(true);
  }
});

it('refuses a path that is a file', () => {
  writeFileSync(join(directory, 'file'), '');
  expect(() => makeDurableDirectory(join(directory, 'file'))).toThrow(/EEXIST|ENOTDIR/);
});

it('finds out before LMDB does that a database cannot be written', () => {
  expect(() => assertWritable(directory)).toThrow('ENOENT');
  writeFileSync(join(directory, 'data.mdb'), '');
  expect(() => assertWritable(directory)).not.toThrow();
});

import * as fs from 'node:fs';
import { join } from 'node:path';
import { type File, NodeFileSystem } from '@holdfast/wal';
import type { StateSource } from '../model/state-source.js';

/*
 * The databases of a state that its directory holds, `lmdb-<generation>` each: the record names the one in use, lower ones were replaced by it, and higher ones are
 * being filled, or are what a start that died has left.
 */
const GENERATION = /^lmdb-([1-9][0-9]{0,8})$/;
/** Of the directory. Whoever takes the log over from a stopped process does not get it. */
export const LOCK_NAME = 'LOCK';
/** Of a generation: held by the process that has its database open, since who took over has no other lock. */
const GENERATION_LOCK = /^LOCK-([1-9][0-9]{0,8})$/;
/** Texts of the record that never got its name. */
const LEFT_OVER = /^STATE\..*tmp$/;

export function generationPath(directory: string, generation: number): string {
  return join(directory, `lmdb-${generation}`);
}

export function generationsIn(directory: string): number[] {
  return fs
    .readdirSync(directory)
    .map((name) => Number(GENERATION.exec(name)?.[1] ?? NaN))
    .filter(Number.isSafeInteger);
}

export function lockNameOf(generation: number): string {
  return `${LOCK_NAME}-${generation}`;
}

/** Undefined when another process has it: one that the log was taken over from, for otherwise the log's own lock had refused. */
export function tryLock(directory: string, name: string): File | undefined {
  const fileSystem = new NodeFileSystem();
  const path = join(directory, name);
  if (!fs.existsSync(path)) fs.closeSync(fs.openSync(path, 'a'));
  const file = fileSystem.open(path, 'write');
  if (fileSystem.tryLock(file)) return file;
  file.close();
  return undefined;
}

/** What starts that died have left above the generation that the record names. One that is being filled is locked by whoever does it. */
export function removeHalfFilled(directory: string, generation: number, log: StateSource): void {
  for (const other of generationsIn(directory)) {
    const lock = other > generation ? tryLock(directory, lockNameOf(other)) : undefined;
    if (lock === undefined) continue;
    try {
      // With the lock: who took the log over may have filled it, named it and ended.
      log.assertUnfenced();
      fs.rmSync(generationPath(directory, other), { recursive: true, force: true });
    } finally {
      lock.close();
    }
  }
}

/** Those below the generation that the record names, also of a start that died before it came to this. Higher ones are of who came later. */
export function removeOthers(directory: string, generation: number, log: StateSource): void {
  log.assertUnfenced();
  for (const other of generationsIn(directory))
    if (other < generation)
      fs.rmSync(generationPath(directory, other), { recursive: true, force: true });
  // A lock that somebody still holds goes with its generation, which nobody opens again.
  const isLeftOver = (name: string): boolean =>
    LEFT_OVER.test(name) || Number(GENERATION_LOCK.exec(name)?.[1] ?? Infinity) < generation;
  for (const left of fs.readdirSync(directory).filter(isLeftOver))
    fs.rmSync(join(directory, left), { force: true });
}

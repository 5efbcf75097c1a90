import * as fs from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '@holdfast/kernel';
import type { Position } from './event.js';
import { readSnapshotMark, syncDirectory } from './snapshot-file.js';
import type { SnapshotEntry } from './state-options.js';

/** Kept of the newest: the log may go below the older of them. */
export const SNAPSHOTS_KEPT = 2;
const NAME = /^([1-9][0-9]{0,15})\.snapshot$/;

/** The snapshots of a directory whose first block can be read, newest first. Says nothing of their other bytes. */
export function listSnapshots(directory: string): readonly SnapshotEntry[] {
  const found: SnapshotEntry[] = [];
  for (const name of namesIn(directory)) {
    const position = Number(NAME.exec(name)?.[1] ?? NaN) as Position;
    if (!Number.isSafeInteger(position)) continue;
    const path = join(directory, name);
    const mark = readSnapshotMark(path);
    if (mark?.position !== position) continue;
    found.push({ position, path, bytes: fs.statSync(path).size, mark });
  }
  return found.sort((a, b) => b.position - a.position);
}

/**
 * Removes what is older than the newest two of the snapshots that can be read and are not known to be damaged: a damaged one takes no place of a good
 * one. Only after a new one has its name and its directory was synced: a crash here leaves more than two, and the next snapshot removes them.
 */
export function pruneSnapshots(
  directory: string,
  isDamaged: (path: string) => boolean = () => false,
): void {
  const all = listSnapshots(directory);
  const oldestKept = all.filter(({ path }) => !isDamaged(path))[SNAPSHOTS_KEPT - 1];
  if (oldestKept === undefined) return;
  const superseded = all.filter(({ position }) => position < oldestKept.position);
  for (const { path } of superseded) fs.rmSync(path, { force: true });
  if (superseded.length > 0) syncDirectory(directory);
}

function namesIn(directory: string): string[] {
  try {
    return fs.readdirSync(directory);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

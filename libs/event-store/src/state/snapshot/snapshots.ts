import * as fs from 'node:fs';
import { join } from 'node:path';
import { errorCode, errorMessage, isUnreadable } from '@holdfast/kernel';
import type { Position } from '../../event.js';
import { syncDirectory } from '../../durable-directory.js';
import { readSnapshotMark } from './snapshot-file.js';
import {
  type DamagedSnapshot,
  type ResolvedStateOptions,
  type SnapshotEntry,
  leftOutOf,
} from '../model/state-options.js';
import type { StateMark } from '../model/state-mark.js';
import { type LogOfPlaces, isOfLog } from '../model/state-source.js';

/** Kept of the newest: the log may go below the older of them. */
export const SNAPSHOTS_KEPT = 2;
const NAME = /^([1-9][0-9]{0,15})\.snapshot$/;

export interface ListedSnapshots {
  /** Those whose first block is whole, newest first. Says nothing of their other bytes. */
  readonly entries: readonly SnapshotEntry[];
  /** Those whose first block is not what was written, or that the disk does not give: one bad sector is no reason to refuse the others. */
  readonly damaged: readonly DamagedSnapshot[];
}

export function listSnapshots(directory: string): ListedSnapshots {
  const entries: SnapshotEntry[] = [];
  const damaged: DamagedSnapshot[] = [];
  for (const name of namesIn(directory)) {
    const position = Number(NAME.exec(name)?.[1] ?? NaN) as Position;
    if (!Number.isSafeInteger(position)) continue;
    const path = join(directory, name);
    try {
      const mark = readSnapshotMark(path);
      if (mark?.position === position)
        entries.push({ position, path, bytes: fs.statSync(path).size, mark });
      else damaged.push({ position, path, reason: faultOfMark(mark) });
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      damaged.push({ position, path, reason: errorMessage(error) });
    }
  }
  entries.sort((a, b) => b.position - a.position);
  return { entries, damaged };
}

function faultOfMark(mark: StateMark | undefined): string {
  return mark === undefined
    ? 'its first block is damaged'
    : `it is the snapshot of position ${mark.position}`;
}

/**
 * Why this program, on this log, cannot begin with a snapshot; undefined when it can, provided that its bytes are whole, which `SnapshotProof` tells. Start, schedule,
 * pruning, retention, compaction and backup go by this and by nothing else: what is no beginning is no reason to remove events, or an older snapshot.
 */
export function faultOfUse(
  { mark }: Pick<SnapshotEntry, 'mark'>,
  options: Pick<ResolvedStateOptions, 'stateVersion' | 'takesOver'>,
  log: LogOfPlaces,
): string | undefined {
  if (leftOutOf(mark, options) === undefined)
    return `it was made by another way of folding: ${mark.stateVersion}, and now it is ${options.stateVersion}`;
  if (!isOfLog(mark, log))
    return 'it is of another history than the log, or of before its beginning';
  return undefined;
}

/**
 * Removes the snapshots below a position, usable or not. Only after a newer one has its name and its directory was synced, and so many as are kept were read and found
 * whole: a crash here leaves more, and the next snapshot removes them.
 */
export function pruneSnapshots(directory: string, below: Position): void {
  const { entries, damaged } = listSnapshots(directory);
  const superseded = [...entries, ...damaged].filter(({ position }) => position < below);
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

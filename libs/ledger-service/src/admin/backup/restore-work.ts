import {
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  closeSync,
  readdirSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { CodedError } from '@holdfast/kernel';
import { type RestoreReport, type Sequence, describeBackup, restoreLog } from '@holdfast/wal';
import type { WorkContext } from '../jobs/job.js';
import { SNAPSHOTS } from './backup-work.js';

export interface RestoreOptions {
  readonly backup: string;
  /** A data directory: it need not exist, and must be empty if it does. */
  readonly target: string;
  /** The last position to restore; everything when left out. */
  readonly upTo?: number;
  /** Nothing that was written later; everything when left out. */
  readonly atMillis?: number;
}

export interface DataRestoreReport extends RestoreReport {
  /** Snapshots of the state that were put beside the log; those of later positions were left out. */
  readonly snapshots: number;
}

/**
 * Makes a data directory of a backup: the log, and the snapshots of the state that it can use. State, read models and archive are made anew by the services.
 * Crash or cancel anywhere before the end: the log in the target is refused until the restore is made again into an empty directory. Throws
 * `RESTORE_TARGET_NOT_EMPTY`, and what `restoreLog` throws.
 */
export async function restoreData(
  { backup, target, upTo, atMillis }: RestoreOptions,
  { signal, progress }: WorkContext,
): Promise<DataRestoreReport> {
  if (existsSync(target) && readdirSync(target).length > 0)
    throw new CodedError(
      'RESTORE_TARGET_NOT_EMPTY',
      `${target} is not empty; nothing was changed`,
      {
        target,
      },
    );
  const { files } = await describeBackup(backup);
  mkdirSync(target, { recursive: true });
  // First the log: its end decides which snapshots are of use. A log without them is whole, and only slower to start.
  const report = await restoreLog(backup, join(target, 'wal'), {
    signal,
    onProgress: ({ bytesDone, bytesTotal }) => progress(bytesDone, bytesTotal, 'bytes'),
    ...(upTo !== undefined && { upTo: upTo as Sequence }),
    ...(atMillis !== undefined && { atMillis }),
  });
  const snapshots = files.filter(
    ({ name }) => name.startsWith(SNAPSHOTS) && positionOf(name) <= report.lastSequence,
  );
  for (const { path, name } of snapshots) copyDurably(path, join(target, name));
  return { ...report, snapshots: snapshots.length };
}

/** `snapshots/4711.snapshot` is of position 4711. */
function positionOf(name: string): number {
  return Number.parseInt(basename(name), 10);
}

/** Its content is checked when it is used, so a half copied one is refused then and is no danger. */
function copyDurably(from: string, to: string): void {
  const directory = join(to, '..');
  mkdirSync(directory, { recursive: true });
  copyFileSync(from, to);
  for (const path of [to, directory, join(directory, '..')]) {
    const descriptor = openSync(path, 'r');
    fsyncSync(descriptor);
    closeSync(descriptor);
  }
}

import { basename } from 'node:path';
import type { WalEventLog } from '@holdfast/event-store';
import { CodedError, errorMessage } from '@holdfast/kernel';
import type { BackupOptions, BackupReport } from '@holdfast/wal/maintenance';
import type { WorkContext } from '../jobs/job.js';

/** What the names of snapshots begin with in a backup. */
export const SNAPSHOTS = 'snapshots/';

type Log = Pick<WalEventLog, 'wal' | 'snapshot' | 'snapshots' | 'stateStatus' | 'wholeSnapshots'>;

/**
 * Brings a backup of the log up to date, archive included, while the service goes on. The snapshots of the state travel along: a log that has lost its
 * beginning to retention cannot be used without one. They are read through first: a rotten one would travel under the digest of its rot, and the whole copy of it go. Where none can stand for the
 * beginning, one is made. Throws `BACKUP_NOT_RESTORABLE` where the backup is up to date and none is in it all the same.
 */
export async function backUp(
  log: Log,
  directory: string,
  { apartFrom, replace }: Required<Pick<BackupOptions, 'apartFrom' | 'replace'>>,
  { signal, progress }: WorkContext,
): Promise<BackupReport> {
  await log.wholeSnapshots({ signal });
  const failure = await makeSnapshotIfNone(log, signal);
  const report = await log.wal.maintenance.backup(directory, {
    signal,
    apartFrom,
    replace,
    files: log.snapshots().map(({ path }) => ({ name: nameOf(path), path })),
    damagedFiles: log.stateStatus()?.damagedSnapshots.map(({ path }) => nameOf(path)) ?? [],
    standsAt: snapshotPosition,
    onProgress: ({ bytesDone, bytesTotal }) => progress(bytesDone, bytesTotal, 'bytes'),
  });
  if (report.restorableFrom === undefined) throw notRestorable(directory, report, failure);
  return report;
}

/** `snapshots/4711.snapshot` is of position 4711; undefined of what is no snapshot. */
export function snapshotPosition(name: string): number | undefined {
  const position = name.startsWith(SNAPSHOTS) ? Number.parseInt(basename(name), 10) : NaN;
  return Number.isNaN(position) ? undefined : position;
}

/** Why none could be made, if so: the backup may have one that an earlier run has copied. */
async function makeSnapshotIfNone(log: Log, signal: AbortSignal): Promise<unknown> {
  const { firstSequence } = log.wal;
  const stands = log.snapshots().some(({ position }) => position >= firstSequence - 1);
  if (firstSequence === 1 || stands) return undefined;
  try {
    await log.snapshot({ signal });
    return undefined;
  } catch (error) {
    if (signal.aborted) throw error;
    return error;
  }
}

function nameOf(path: string): string {
  return `${SNAPSHOTS}${basename(path)}`;
}

function notRestorable(
  directory: string,
  { firstSequence, lastSequence }: BackupReport,
  failure: unknown,
): CodedError {
  const why = failure === undefined ? '' : `, and none could be made: ${errorMessage(failure)}`;
  return new CodedError(
    'BACKUP_NOT_RESTORABLE',
    `${directory} holds positions ${firstSequence} to ${lastSequence}, and cannot be restored: no snapshot in it stands for what came before${why}`,
    { directory, firstSequence, lastSequence },
    { cause: failure },
  );
}

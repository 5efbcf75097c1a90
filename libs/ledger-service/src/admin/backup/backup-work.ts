import { basename } from 'node:path';
import type { WalEventLog } from '@holdfast/event-store';
import type { BackupOptions, BackupReport } from '@holdfast/wal';
import type { WorkContext } from '../jobs/job.js';

/** What the names of snapshots begin with in a backup. */
export const SNAPSHOTS = 'snapshots/';

/**
 * Brings a backup of the log up to date, archive included, while the service goes on. The snapshots of the state travel along: a log that has lost its
 * beginning to retention cannot be used without one. They are read through first: a rotten one would travel under the digest of its rot, and the whole copy of it go.
 */
export async function backUp(
  log: Pick<WalEventLog, 'wal' | 'snapshots' | 'stateStatus' | 'wholeSnapshots'>,
  directory: string,
  { apartFrom, replace }: Required<Pick<BackupOptions, 'apartFrom' | 'replace'>>,
  { signal, progress }: WorkContext,
): Promise<BackupReport> {
  await log.wholeSnapshots({ signal });
  return log.wal.backup(directory, {
    signal,
    apartFrom,
    replace,
    files: log.snapshots().map(({ path }) => ({ name: nameOf(path), path })),
    damagedFiles: log.stateStatus()?.damagedSnapshots.map(({ path }) => nameOf(path)) ?? [],
    onProgress: ({ bytesDone, bytesTotal }) => progress(bytesDone, bytesTotal, 'bytes'),
  });
}

function nameOf(path: string): string {
  return `${SNAPSHOTS}${basename(path)}`;
}

import { basename } from 'node:path';
import type { WalEventLog } from '@holdfast/event-store';
import type { BackupReport } from '@holdfast/wal';
import type { WorkContext } from '../jobs/job.js';

/** What the names of snapshots begin with in a backup. */
export const SNAPSHOTS = 'snapshots/';

/**
 * Brings a backup of the log up to date, archive included, while the service goes on. The snapshots of the state travel along: a log that has lost its
 * beginning to retention cannot be used without one.
 */
export function backUp(
  log: Pick<WalEventLog, 'wal' | 'snapshots'>,
  directory: string,
  /** Of the live data: no backup is made in one of them, or around one. */
  apartFrom: readonly string[],
  { signal, progress }: WorkContext,
): Promise<BackupReport> {
  return log.wal.backup(directory, {
    signal,
    apartFrom,
    files: log.snapshots().map(({ path }) => ({ name: `${SNAPSHOTS}${basename(path)}`, path })),
    onProgress: ({ bytesDone, bytesTotal }) => progress(bytesDone, bytesTotal, 'bytes'),
  });
}

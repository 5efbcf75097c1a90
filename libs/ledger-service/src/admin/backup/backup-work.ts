import { basename } from 'node:path';
import type { WalEventLog } from '@holdfast/event-store';
import type { BackupOptions, BackupReport } from '@holdfast/wal';
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
  { apartFrom, replace }: Required<Pick<BackupOptions, 'apartFrom' | 'replace'>>,
  { signal, progress }: WorkContext,
): Promise<BackupReport> {
  return log.wal.backup(directory, {
    signal,
    apartFrom,
    replace,
    files: log.snapshots().map(({ path }) => ({ name: `${SNAPSHOTS}${basename(path)}`, path })),
    onProgress: ({ bytesDone, bytesTotal }) => progress(bytesDone, bytesTotal, 'bytes'),
  });
}

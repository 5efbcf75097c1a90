import type { Position } from '@holdfast/event-store';
import { ARCHIVE_FLOOR, type ArchiveReport, type Wal } from '@holdfast/wal';
import type { WorkContext } from '../jobs/job.js';
import type { RetentionArchive } from '../retention/log-retention.js';

/** Archives what is sealed and is not archived yet. Throws `WAL_INVALID_OPTION` where no archive was configured. */
export function archiveSealed(wal: Wal, { signal, progress }: WorkContext): Promise<ArchiveReport> {
  return wal.archiveSealed({
    signal,
    onProgress: ({ bytesDone, bytesTotal }) => progress(bytesDone, bytesTotal, 'bytes'),
  });
}

/** The archive of a log as retention sees it. */
export function archiveOf(wal: Wal): RetentionArchive {
  return {
    get archivedPosition() {
      return (wal.floors.all().get(ARCHIVE_FLOOR) ?? 0) as number as Position;
    },
    archiveSealed: (context) => archiveSealed(wal, context),
  };
}

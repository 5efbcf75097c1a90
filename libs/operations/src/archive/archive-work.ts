import type { LogBelow, Position } from '@holdfast/event-store';
import { ARCHIVE_FLOOR, type ArchiveReport } from '@holdfast/wal/maintenance';
import { CodedError, errorCode } from '@holdfast/kernel';
import type { WorkContext } from '../jobs/job.js';
import type { RetentionArchive } from '../retention/log-retention.js';

/** Archives what is sealed and is not archived yet. Throws `ARCHIVE_NOT_CONFIGURED`, with what to do, where the log has no archive. */
export async function archiveSealed(
  wal: LogBelow,
  { signal, progress }: WorkContext,
): Promise<ArchiveReport> {
  try {
    return await wal.maintenance.archiveSealed({
      signal,
      onProgress: ({ bytesDone, bytesTotal }) => progress(bytesDone, bytesTotal, 'bytes'),
    });
  } catch (error) {
    throw errorCode(error) === 'WAL_INVALID_OPTION' ? noArchive(error) : error;
  }
}

function noArchive(cause: unknown): CodedError {
  return new CodedError(
    'ARCHIVE_NOT_CONFIGURED',
    'this log has no archive, and a service that runs makes none: start it with HOLDFAST_RETENTION_POLICY=archive, or end it and let `holdfast archive --data <directory>` make one',
    {},
    { cause },
  );
}

/** The archive of a log as retention sees it. */
export function archiveOf(wal: LogBelow): RetentionArchive {
  return {
    get archivedPosition() {
      return (wal.floors.all().get(ARCHIVE_FLOOR) ?? 0) as number as Position;
    },
    archiveSealed: (context) => archiveSealed(wal, context),
  };
}

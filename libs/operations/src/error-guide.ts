import type { ErrorAdvice } from '@holdfast/wal';

/** One entry for each code of this library; `docs/operations.md` prints the same, which a test checks. */
export const OPERATIONS_ERROR_GUIDE: Readonly<Record<string, ErrorAdvice>> = {
  DATA_DIRECTORY_UNUSABLE: {
    meaning:
      'A directory of the data is no directory, may not be used by the user of this process, or is mounted read-only, or the archive is in the place of the log or its state; the message names it. The service does not start (78), and has changed nothing.',
    action:
      'Give it to that user (`chown`; 1000 in the containers), mount it for writing, or correct HOLDFAST_DATA_DIRECTORY or HOLDFAST_ARCHIVE_DIRECTORY.',
  },
  JOBS_FULL: {
    meaning: 'Sixteen jobs wait already (429).',
    action: 'Wait, or cancel some: `holdfast jobs`.',
  },
  JOBS_CLOSED: {
    meaning: 'A job was asked for while the service is stopping. Nothing was begun.',
    action: 'Ask again once it has started.',
  },
  WORK_CANCELLED: {
    meaning: 'Long work was cancelled.',
    action: 'Start it again: it goes on where it was.',
  },
  BACKUP_NOT_RESTORABLE: {
    meaning:
      'The backup was brought up to date, and cannot be restored: the log has lost its beginning to retention, and no snapshot of the state could be made that stands for it. The message says why.',
    action:
      'Mend what the message names (the directory of the snapshots, room on its disk), and back up again. Until then the service has no snapshot either: without its `state/` it would not start.',
  },
  RESTORE_TARGET_NOT_EMPTY: {
    meaning:
      'A restore makes a new data directory, and there is something in this one. Nothing was changed.',
    action: 'Name another, or remove what an interrupted restore has left.',
  },
  RESTORE_UNFINISHED: {
    meaning:
      'In the data directory, or beside it under its name with `.restoring` behind it, is a restore that has not ended, and there is no log yet. A service that began one would serve an empty ledger in its place, so it does not start (78). Of the restore itself: everything is there under its name, which could not be made durable.',
    action:
      'Wait until the restore has ended. If it was killed, remove what it has left and restore again. If the restore said it: find out what is wrong with the disk, run `sync`, and start the service.',
  },
  ARCHIVE_NOT_CONFIGURED: {
    meaning:
      'The log was to be archived and has no archive; a service that runs makes none. Nothing was archived.',
    action:
      'Start the service with `HOLDFAST_RETENTION_POLICY=archive`, which makes one: `archive/` in the data directory, or `HOLDFAST_ARCHIVE_DIRECTORY`. Or end the service and let `holdfast archive --data <directory>` make it; from then on it is used.',
  },
  OPERATIONS_INVALID_OPTION: {
    meaning:
      'A setting that `LogOperations` or `OperationsModule` was given is not what it can be; the message names it. The service does not start (78), and nothing was removed.',
    action: 'Correct it.',
  },
};

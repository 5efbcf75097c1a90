import type { ErrorAdvice } from '@holdfast/wal';

/** One entry for each code of the ledger, its service and its administration; `docs/operations.md` prints the same, which a test checks. */
export const LEDGER_ERROR_GUIDE: Readonly<Record<string, ErrorAdvice>> = {
  LEDGER_EVENT_UNKNOWN: {
    meaning:
      'The log holds an event that this ledger does not know: a newer version wrote it, or the log is not one of a ledger. To skip it would be to forget money, so the service does not start (78).',
    action: 'Start the newer version again, or name the right data directory.',
  },
  DATA_DIRECTORY_UNUSABLE: {
    meaning:
      'A directory of the data is no directory, may not be used by the user of this process, or is mounted read-only, or the archive is in the place of the log or its state; the message names it. The service does not start (78), and has changed nothing.',
    action:
      'Give it to that user (`chown`; 1000 in the containers), mount it for writing, or correct HOLDFAST_DATA_DIRECTORY or HOLDFAST_ARCHIVE_DIRECTORY.',
  },
  QUERIES_FULL: {
    meaning: 'More queries wait for a thread than may wait (429). Commands are not concerned.',
    action:
      'Clients ask again. If it stays so, ask for smaller pages, or let query services of their own answer.',
  },
  QUERY_THREAD_ENDED: {
    meaning:
      'The thread that answered this query ended, or the service is stopping (503). Commands are not concerned, and no answer is wrong.',
    action:
      'Clients ask again: another thread is begun. If it repeats, the cause is in the log: report it as a bug.',
  },
  QUERIES_SLOW: {
    meaning:
      'The read model could not be looked at in time: queries that take long keep every thread of queries, or the files of the read model do not answer. Health is degraded and says how old the last look is; commands are not concerned.',
    action:
      'If it stays so, ask for smaller pages or let query services of their own answer, and look at the disk of the read model.',
  },
  ADMIN_TOKEN_MISSING: {
    meaning:
      'The admin API is to listen where others can reach it, and has no token. The service does not start (78).',
    action: 'Set `HOLDFAST_ADMIN_TOKEN_FILE`, or leave `HOLDFAST_ADMIN_HOST` on loopback.',
  },
  ADMIN_TOKEN_INVALID: {
    meaning: 'The token has fewer than 16 characters, or its file cannot be read.',
    action: 'Make a new one: `openssl rand -hex 32`.',
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
  PROJECTION_THREAD_ENDED: {
    meaning:
      'The projection runs as a thread of the process that does everything, and ended without being told to. The process ends as well, because half a service would look whole.',
    action:
      'Let the supervisor start it again: nothing is lost, and the projection goes on where its read model stands. If it happens again, look at the lines of `thread: projection` before it, and at the memory that the machine has left.',
  },
  ARCHIVE_NOT_CONFIGURED: {
    meaning:
      'The log was to be archived and has no archive; a service that runs makes none. Nothing was archived.',
    action:
      'Start the service with `HOLDFAST_RETENTION_POLICY=archive`, which makes one: `archive/` in the data directory, or `HOLDFAST_ARCHIVE_DIRECTORY`. Or end the service and let `holdfast archive --data <directory>` make it; from then on it is used.',
  },
  PORT_IN_USE: {
    meaning:
      'The port that the service is to listen on belongs to another process (75). Nothing was made or changed.',
    action:
      'Look which one it is (`ss -ltnp`): perhaps a Holdfast that runs already. End it, or give this one another port by the variable that the message names.',
  },
  PORT_UNUSABLE: {
    meaning:
      'The service cannot listen where it is to: the host is not an address of this machine, the port is one that its user may not have, or two variables name one port (78). Nothing was made or changed.',
    action:
      'Correct `HOLDFAST_HTTP_HOST`, `HOLDFAST_ADMIN_HOST`, or the port that the message names.',
  },
};

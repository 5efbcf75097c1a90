import type { WalErrorCode } from './wal.errors.js';

/** What an operator needs at three in the morning: what has happened, what is safe, what to do. */
export interface ErrorAdvice {
  readonly meaning: string;
  readonly action: string;
}

/** One entry for each code; `docs/operations.md` prints the same, which a test checks. */
export const WAL_ERROR_GUIDE: Readonly<Record<WalErrorCode, ErrorAdvice>> = {
  WAL_NOT_FOUND: {
    meaning:
      'The directory holds no log. An unmounted volume looks exactly like this, so a log is created only on request.',
    action:
      'Check that the volume is mounted and the path is right. Only for a new log: open it with `create`.',
  },
  WAL_LOCKED: {
    meaning: 'Another process writes this log; the message names its process id, host and start.',
    action:
      'Stop that process, or let it work. If it hangs and cannot be killed, open with `takeover`: it will acknowledge nothing more.',
  },
  WAL_UNSUPPORTED_FILE_SYSTEM: {
    meaning:
      'The directory is on a network file system (NFS, SMB, Ceph …), a cluster file system (GPFS, Lustre, BeeGFS, OCFS2, GFS2 …) or one that another program provides (FUSE, shared folders of a virtual machine). Its locks cannot be trusted to keep a second writer out, nor its syncs to reach a disk.',
    action:
      'Move the log to a local disk or block volume. Only where you know that its locks and syncs hold: start with `HOLDFAST_WAL_ALLOW_NETWORK_FILE_SYSTEM=true`.',
  },
  WAL_UNSUPPORTED_FORMAT: {
    meaning:
      'A newer version wrote this log and used a feature that this version does not know. Nothing is damaged.',
    action:
      'Start the newer version again. There is no way back to an older one once a newer has written.',
  },
  WAL_CORRUPT: {
    meaning:
      'Durable bytes are not what was written. The message names file, offset and sequences. Nothing was changed.',
    action:
      'Do not delete anything. Copy the directory, run `holdfast wal verify` on the copy, look at the disk (kernel log, SMART), and restore the named segment or the whole log from a backup. Without a backup, `holdfast wal salvage` copies what can still be read into a new log and names what is gone. For a damaged `ARCHIVE`, the mark of an archive, the message says how to rewrite it: it holds no records.',
  },
  WAL_LOST_TAIL: {
    meaning:
      'Acknowledged records are gone from the end of the log: the disk lied about a sync, or the file was cut. Nothing was changed.',
    action:
      'Copy the directory before anything else. Find out why (write cache without power protection, a copy made while running, a truncating tool), and restore from a backup.',
  },
  WAL_BEHIND_STATE: {
    meaning:
      'The state includes records of the same history that the log no longer has: the end of the log was lost, or an older copy of the log stands beside newer state. Nothing was changed.',
    action:
      'Find out which it is. Put back the newer log. If you want this log (a restored backup, or the result of `holdfast wal salvage`), move the state directory away: the state is rebuilt.',
  },
  WAL_MISSING_SEGMENT: {
    meaning:
      'A segment file of the log or its archive is missing. The message names it and its sequences. Nothing was changed.',
    action:
      'Put the file back, from a backup if necessary. If an archive volume was not mounted, the file may be under its mount point. Starting without it would silently drop its records.',
  },
  WAL_MANIFEST_DAMAGED: {
    meaning:
      'MANIFEST is damaged or missing beside segments, so the log cannot say what belongs to it. Nothing was changed.',
    action:
      'Restore MANIFEST from a backup of the same log, or copy what can be read into a new log with `holdfast wal salvage`.',
  },
  WAL_READ_FAILED: {
    meaning:
      'The operating system could not read a file of the log. A read error is never taken for the end of the log.',
    action:
      'Check the kernel log, the disk, permissions and the limit of open files; then start again.',
  },
  WAL_INVALID_OPTION: {
    meaning: 'A limit or size is outside its range; the message names both.',
    action: 'Correct the configuration.',
  },
  WAL_EMPTY_BATCH: {
    meaning: 'An append without records: a bug of the calling program. Nothing was appended.',
    action: 'Report it as a bug of that program.',
  },
  WAL_TOO_LARGE: {
    meaning: 'A record or batch exceeds the limit in the message. Nothing was appended.',
    action: 'Split it, or open the log with a larger frame limit, up to 32 MiB.',
  },
  WAL_OVERLOADED: {
    meaning:
      'The queue of bytes to write is full: the disk is slower than the load. Or no file could be opened for another segment, because open files (descriptors) or memory are used up. Nothing was appended.',
    action:
      'Clients should back off and send again (429). If it lasts, check the commit times in the metrics and the disk; if the message names `EMFILE`, `ENFILE` or `ENOMEM`, raise the limit of open files (`ulimit -n`) or of memory. The log continues by itself.',
  },
  WAL_FULL: {
    meaning:
      'No room for another record: the disk is full, or a quota or the largest file size is reached. The last 64 MiB of a disk, or the last sixteenth of one below 1 GiB, are reserved: checkpoints, MANIFEST and a start use them to make room. Nothing was appended, and everything before is safe. A lack of descriptors is `WAL_OVERLOADED`, and any other error of the disk ends the writer.',
    action:
      'Free space or raise the limit. The log checks once a second and continues by itself, without a restart.',
  },
  WAL_CLOSED: {
    meaning:
      'The log was closed before or during the call. An append appended nothing, and a verification says nothing about the log.',
    action: 'Nothing: the service is stopping.',
  },
  WAL_POISONED: {
    meaning:
      'A write or sync failed. Everything in flight has an unknown outcome, and the process must end: after a failed sync the kernel may report lost data as clean.',
    action:
      'Let the supervisor restart the process; recovery decides. Clients send again under the same idempotency keys. If it happens again, the disk is failing.',
  },
  WAL_FENCED: {
    meaning:
      "Another writer has taken over this log, or its directory or a file was replaced under the running writer. Everything that this writer acknowledged is in the successor's log, or in the files that were there before.",
    action:
      'Nothing, if the takeover was intended. Otherwise find out who runs a second writer on this directory. If files were replaced: stop the service before you put a copy in place. Only the old files hold what was acknowledged since the copy was made.',
  },
  WAL_SEQUENCE_GONE: {
    meaning: 'A reader asked for records that retention has removed: no floor kept them for it.',
    action:
      'Give it the archive to read from, or let it start over from a snapshot or a backup. To prevent this, let each consumer keep a floor.',
  },
  WAL_ARCHIVE_NOT_FOUND: {
    meaning:
      'The directory is not an archive. An unmounted volume looks exactly like this, so an archive is created only on request, and never for a log whose segments have left for an archive.',
    action:
      'Check that the volume is mounted and the path is right. Only for a new archive: start once with `HOLDFAST_WAL_CREATE=true`.',
  },
  WAL_ARCHIVE_CONFLICT: {
    meaning:
      'The archive holds a segment of this name with other content: of another history of the log, or damaged. It is never overwritten.',
    action:
      'If the log was restored to an earlier position, give it a new archive directory. Otherwise verify the archive; if its file is damaged, move that file away and archive again.',
  },
  WAL_ARCHIVE_MISMATCH: {
    meaning:
      "The archive belongs to another log, or to another history of it: its last segment is not the one that the first live segment follows. This also happens to a new log beside an old archive, and to a salvaged log that begins behind the archive's segments. Nothing was changed.",
    action:
      "Name the archive of this log, or none, and check that the log's own volume is mounted. For a salvaged log: salvage again with `--archive`, and give the new log its own archive.",
  },
  WAL_BACKUP_REFUSED: {
    meaning:
      'The directory cannot take this backup. It holds the backup of another log, or other files; or something that this log does not hold, such as the end of a history that the log has left; or it lies inside or around the live data; or another backup is being made there; or a file to be included has an invalid name or has changed.',
    action:
      'Name another directory, new or empty, or wait. The existing backup stays as it is; `--replace` gives up a backup of this log that holds more or other records than the log. If the message names a missing or rotten file of the backup, put it back from a copy of the backup, or use `--replace` to give up what the backup holds before that file. A directory with `segments/` but neither `BACKUP` nor `BACKUP-OF` is an interrupted first run of an early version. Nothing can be restored from it: check that it holds nothing else, remove it, and back up again.',
  },
  WAL_BACKUP_DAMAGED: {
    meaning:
      'There is no complete backup here, or its table of contents, the file BACKUP, is damaged.',
    action: 'Use another backup. If the log is alive, make a new one in an empty directory.',
  },
  WAL_RESTORE_REFUSED: {
    meaning:
      'The target of a restore is not empty, or the backup does not hold the position or time to restore to. Nothing was changed.',
    action:
      'Name an empty directory, or a sequence or time within the range that the message gives.',
  },
  WAL_CANCELLED: {
    meaning:
      'Long work on the log was cancelled. What was finished stays, and the work can be started again.',
    action: 'Nothing, if that was meant.',
  },
  WAL_FLOOR_ABOVE_DURABLE: {
    meaning:
      'A consumer set its floor above the last durable record: a bug of the calling program.',
    action: 'Report it as a bug of that program.',
  },
  WAL_INVALID_FLOOR: {
    meaning: 'A floor has an invalid name or sequence, or there are too many floors.',
    action: 'Correct the name, or drop unused floors.',
  },
  WAL_SALVAGE_REFUSED: {
    meaning:
      'A salvage found nothing to read, or its target exists. The damaged log was only read.',
    action: 'Name a target directory that does not exist, on a disk with room for a copy.',
  },
};

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
      'The directory holds no log. An unmounted volume looks exactly like this, so no log is made unless asked.',
    action:
      'Check that the volume is mounted and the path is right. Only for a new log: open it with `create`.',
  },
  WAL_LOCKED: {
    meaning: 'Another process writes this log; the message names its process id, host and start.',
    action:
      'Stop that process, or leave it to its work. If it is stopped and cannot be killed, open with `takeover`: it will acknowledge nothing more.',
  },
  WAL_UNSUPPORTED_FILE_SYSTEM: {
    meaning:
      'The directory is on a file system of a network (NFS, SMB, Ceph …), a cluster (GPFS, Lustre, BeeGFS, OCFS2, GFS2 …) or another program (FUSE, shared folders of a virtual machine), whose locks cannot be trusted to keep a second writer out, nor its syncs to reach a disk.',
    action:
      'Move the log to a local disk or block volume. Only where you know that its locks and syncs hold: start with `HOLDFAST_WAL_ALLOW_NETWORK_FILE_SYSTEM=true`.',
  },
  WAL_UNSUPPORTED_FORMAT: {
    meaning:
      'A newer version wrote this log and used something that this version does not know. Nothing is damaged.',
    action:
      'Start the newer version again. There is no way back to an older one once a newer has written.',
  },
  WAL_CORRUPT: {
    meaning:
      'Bytes that were promised to be durable are not what was written. The message names file, offset and sequences. Nothing was changed.',
    action:
      'Do not delete anything. Copy the directory, run `holdfast wal verify` on the copy, look at the disk (kernel log, SMART), and restore the named segment or the whole log from a backup. Without one, `holdfast wal salvage` makes a new log of what can still be read and names what is gone. Of a damaged `ARCHIVE`, the mark of an archive, the message says how to write it anew: no record is in it.',
  },
  WAL_LOST_TAIL: {
    meaning:
      'Records that were acknowledged are gone from the end of the log: the disk lied about a sync, or the file was cut. Nothing was changed.',
    action:
      'Copy the directory before anything else. Find out why (write cache without power protection, a copy made while running, a truncating tool), and restore from a backup.',
  },
  WAL_BEHIND_STATE: {
    meaning:
      'State was made of records that the log does not have any more, in the same history: the end of the log was lost, or the log was replaced by an older copy beside newer state. Nothing was changed.',
    action:
      'Find out which of the two it is. Put back the newer log. If the log is what you want (a restored backup, or what `holdfast wal salvage` could save of one whose end is lost), move the directory of the state away: it is made anew.',
  },
  WAL_MISSING_SEGMENT: {
    meaning:
      'A segment file that belongs to the log, or to its archive, is not there. The message names it and its sequences. Nothing was changed.',
    action:
      'Put the file back from where it went, or from a backup; an archive on another volume may have been written to under its mount point while it was not mounted. Starting without it would silently drop its records.',
  },
  WAL_MANIFEST_DAMAGED: {
    meaning:
      'MANIFEST is damaged or missing beside segments, so the log cannot say what belongs to it. Nothing was changed.',
    action:
      'Restore MANIFEST from a backup of the same log, or make a new log of what can be read with `holdfast wal salvage`.',
  },
  WAL_READ_FAILED: {
    meaning:
      'The operating system could not read a file of the log. A read error is never taken for the end of the log.',
    action:
      'Look at the kernel log and the disk, at permissions, and at the limit of open files; then start again.',
  },
  WAL_INVALID_OPTION: {
    meaning:
      'A limit or size is outside of what the format allows; the message names it and its range.',
    action: 'Correct the configuration.',
  },
  WAL_EMPTY_BATCH: {
    meaning: 'An append without records. A mistake of the calling program; nothing was appended.',
    action: 'Report it as a bug of that program.',
  },
  WAL_TOO_LARGE: {
    meaning: 'A record or batch exceeds the limit in the message. Nothing was appended.',
    action: 'Split it, or open the log with a larger frame limit, up to 32 MiB.',
  },
  WAL_OVERLOADED: {
    meaning:
      'More bytes wait to be written than the queue may hold: the disk is slower than the load. Or no file could be opened for another segment: the limit of open files (descriptors) or the memory is used up. Nothing was appended.',
    action:
      'Clients should back off and send again (429). If it lasts, look at commit times in the metrics and at the disk; where the message names `EMFILE`, `ENFILE` or `ENOMEM`, raise the limit of open files (`ulimit -n`) or of memory. The log goes on by itself.',
  },
  WAL_FULL: {
    meaning:
      'There is no room for another record: disk full, quota, or the largest file that is allowed. The last 64 MiB of a disk, or the last sixteenth of one below 1 GiB, are not filled with records: checkpoints, MANIFEST and a start use them to make room again. Nothing was appended, and everything before is safe. A lack of descriptors is `WAL_OVERLOADED`, and any other error of the disk ends the writer.',
    action:
      'Free space or raise the limit. The log looks once a second and goes on by itself, without a restart.',
  },
  WAL_CLOSED: {
    meaning:
      'The log was closed before or during the call. An append has appended nothing, and a verification says nothing of the log.',
    action: 'Nothing: the service is stopping.',
  },
  WAL_POISONED: {
    meaning:
      'A write or sync failed. Whatever was in flight has an unknown outcome, and the process must end: after a failed sync the kernel may call lost data clean.',
    action:
      'Let the supervisor restart the process; recovery decides. Clients send again under the same idempotency keys. If it comes back, the disk is failing.',
  },
  WAL_FENCED: {
    meaning:
      'Another writer has taken this log over, or the directory or a file of it was replaced under the running writer. Whatever this one acknowledged is in the log of its successor, or in the files that were there before.',
    action:
      'Nothing, if the takeover was meant. Otherwise find out who runs a second writer on this directory. Where files were replaced, stop the service before you put a copy in its place; what was acknowledged since the copy was made is in the old files only.',
  },
  WAL_SEQUENCE_GONE: {
    meaning:
      'A reader asked for records that retention has removed: it was further behind than any floor that was set.',
    action:
      'Give it the archive to read from, or let it begin anew from a snapshot or a backup. So that it does not happen again, let each consumer keep a floor.',
  },
  WAL_ARCHIVE_NOT_FOUND: {
    meaning:
      'The directory is no archive. An unmounted volume looks exactly like this, so none is made unless asked, and never for a log from which segments have left for an archive.',
    action:
      'Check that the volume is mounted and the path is right. Only for a new archive: start once with `HOLDFAST_WAL_CREATE=true`.',
  },
  WAL_ARCHIVE_CONFLICT: {
    meaning:
      'The archive holds a segment of this name with another content, of another history of the log or damaged. It is never overwritten.',
    action:
      'If the log was restored to an earlier place, give it a new archive directory. Otherwise verify the archive; when its file is damaged, move that file away and archive again.',
  },
  WAL_ARCHIVE_MISMATCH: {
    meaning:
      'The archive belongs to another log, or to another history of it: its last segment is not the one that the first live segment follows. A new log beside the archive of an old one gets this too, and so does a salvaged one that begins behind what the archive holds. Nothing was changed.',
    action:
      "Name the archive that belongs to this log, or none; check that the log's own volume is mounted. Of a salvaged log: salvage again with `--archive`, and give the new log an archive of its own.",
  },
  WAL_BACKUP_REFUSED: {
    meaning:
      'The directory cannot take this backup: it holds the backup of another log, or anything that is not of a backup; it holds what this log does not hold, the end of a history that the log has left, say; it lies in the live data, or around it; another backup is being made there; or a file to go along has no proper name or changed.',
    action:
      'Name another directory, new or empty, or wait. The backup that is there stays as it is; `--replace` gives up one of this log that holds more or other records than the log. Where the message names a file of it that is gone or rotten, put that back from a copy of the backup, or give up what it holds before that file with `--replace`. A directory with `segments/` and neither `BACKUP` nor `BACKUP-OF` is the first run of an early version that was cut short: nothing can be restored from it, so look that nothing else is in it, remove it, and back up again.',
  },
  WAL_BACKUP_DAMAGED: {
    meaning:
      'There is no complete backup here, or the file BACKUP, which says what it consists of, is damaged.',
    action: 'Use another backup. If the log is alive, make a new one in an empty directory.',
  },
  WAL_RESTORE_REFUSED: {
    meaning:
      'The target of a restore is not empty, or the place to restore to is outside of what the backup holds. Nothing was changed.',
    action:
      'Name an empty directory, or a sequence or time within the range that the message gives.',
  },
  WAL_CANCELLED: {
    meaning:
      'Long work on the log was cancelled. What it had finished stays, and it can be started again.',
    action: 'Nothing, if that was meant.',
  },
  WAL_FLOOR_ABOVE_DURABLE: {
    meaning:
      'A consumer claims to need only records that are not durable yet. A mistake of the calling program.',
    action: 'Report it as a bug of that program.',
  },
  WAL_INVALID_FLOOR: {
    meaning:
      'A floor with a name or sequence that cannot be one, or more floors than there may be.',
    action: 'Correct the name, or drop floors that nobody uses.',
  },
  WAL_SALVAGE_REFUSED: {
    meaning:
      'A salvage found nothing to read, or its target exists already. The damaged log was only read.',
    action: 'Name a target directory that does not exist, on a disk with room for a copy.',
  },
};

import type { ErrorAdvice } from '@holdfast/wal';
import type { EventStoreErrorCode } from './event-store.errors.js';

/** One entry for each code; `docs/operations.md` prints the same, which a test checks. */
export const EVENT_STORE_ERROR_GUIDE: Readonly<Record<EventStoreErrorCode, ErrorAdvice>> = {
  EVENT_INVALID: {
    meaning:
      'An invalid append or read; the message says why. A bug of the calling program. Nothing was appended.',
    action: 'Report it as a bug of that program.',
  },
  EVENT_TOO_LARGE: {
    meaning:
      'An event or a commit is larger than a limit, which the message names. Nothing was appended.',
    action: 'Split it, or open the log with a larger frame limit, up to 32 MiB.',
  },
  EVENT_WRONG_VERSION: {
    meaning:
      'A stream is not at the expected version: another command has appended to it meanwhile. Nothing was appended.',
    action: 'Nothing: the caller reads the stream again and decides again.',
  },
  EVENT_CONDITION_FAILED: {
    meaning:
      "Since its writer has read, an event was appended that the commit's condition forbids, or too many events to check; the message names the position. Nothing was appended.",
    action: 'Nothing: the caller reads again and decides again.',
  },
  EVENT_STATE_OVERLOADED: {
    meaning:
      'Too many entries of the state wait for a checkpoint: the disk of `state/` is slower than the load. Nothing was appended; clients get 429.',
    action: 'Check `holdfast_state_failed_checkpoints_total` and that disk: is it full?',
  },
  EVENT_CLOCK_SKEW: {
    meaning:
      'The wall clock cannot be believed: it is ahead of what the monotonic clock allows, behind the last event, or, at a start, long after it. The message names both times. Nothing was appended; clients get 503 `clock-skew`.',
    action:
      'Correct the clock: commands then resume by themselves. If the clock is right: `holdfast clock accept`.',
  },
  EVENT_CORRUPT: {
    meaning:
      'A record of the log verifies but is not an event; the message names its position. This is a bug, or another program has written to this log. Nothing was changed.',
    action:
      'Copy the directory, run `holdfast wal verify` and `holdfast wal dump` on the copy, and report it with their output. Restore a backup if the log is needed at once.',
  },
  EVENT_UNSUPPORTED_FORMAT: {
    meaning: 'An event is written in a format that this version does not know. Nothing is damaged.',
    action:
      'Start the newer version again. There is no way back to an older one once a newer has written.',
  },
  EVENT_UNKNOWN_SCHEMA: {
    meaning:
      'An event has a newer schema than this program knows: a newer program wrote the log. Nothing is damaged.',
    action: 'Start the newer version again.',
  },
  EVENT_UPCAST_FAILED: {
    meaning:
      'An upcaster of the program failed, or returned no data; the message names the event. Nothing is damaged.',
    action:
      'It is a bug of the program: start one whose upcasters accept the event. The log is sound.',
  },
  EVENT_POSITION_UNKNOWN: {
    meaning:
      'The position was never assigned, or the state has no checkpoint yet. A bug of the caller.',
    action:
      'Ask for a position up to the last one; create a checkpoint first if one is needed (`holdfast checkpoint create`).',
  },
  EVENT_POSITION_GONE: {
    meaning:
      'The state must be rebuilt, or a reader asks for events, but the events needed have left the log.',
    action:
      "Name the archive (`HOLDFAST_ARCHIVE_DIRECTORY`). Under the policy `snapshots` put `snapshots/` back from a backup. In a restore: the backup has neither the log's beginning nor a snapshot in its place. Nothing was created; use another backup.",
  },
  EVENT_CANCELLED: {
    meaning:
      'A snapshot, or the reading of snapshots, was cancelled, or the log was closed meanwhile. Nothing of it is left, and nothing was removed because of it.',
    action: 'Nothing, if that was intended. Otherwise start it again.',
  },
  EVENT_STATE_BROKEN: {
    meaning:
      'The program failed to fold an event into its state, so the state no longer follows from the log. The message names the event; it may be in the log. Nothing more is decided, and the process exits with 70.',
    action: 'It is a bug of the program: start one that can fold the event. The log is sound.',
  },
  EVENT_STATE_DAMAGED: {
    meaning:
      'The checkpointed state is not what was written: its disk has changed it. Nothing more is decided, and the process exits with 70.',
    action: 'The next start rebuilds the state from a snapshot and the log. Check the disk.',
  },
  EVENT_STATE_UNAVAILABLE: {
    meaning:
      "The checkpointed state could not be read or written for a reason that the message names: no file descriptors, no memory, no permission, a device that does not answer; or a snapshot was given up because checkpoints could not wait longer. Nothing indicates damage. A read is refused, and nothing was applied. If the state's thread has ended, the process exits with 70, and the next start checks the state before it uses it.",
    action:
      'Check the limits of the process and the disk of `state/`. The command can be sent again.',
  },
  EVENT_STATE_FOREIGN: {
    meaning:
      'The log has lost its beginning, and the snapshots that stand for it were made by another program, mostly a newer one; the message names in what the two differ. Nothing is damaged, and nothing was changed. The service does not start (78).',
    action:
      "Start the program that made them. A newer program that folds in another way takes their state over (`takesOver`), or is given the log's beginning back: the archive, or a backup that has it.",
  },
  EVENT_LOG_CLOSED: {
    meaning: 'The log was closed before this call. Nothing was appended or read.',
    action: 'Nothing: the service is stopping.',
  },
};

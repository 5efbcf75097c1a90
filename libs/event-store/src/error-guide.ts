import type { ErrorAdvice } from '@holdfast/wal';
import type { EventStoreErrorCode } from './event-store.errors.js';

/** One entry for each code; `docs/operations.md` prints the same, which a test checks. */
export const EVENT_STORE_ERROR_GUIDE: Readonly<Record<EventStoreErrorCode, ErrorAdvice>> = {
  EVENT_INVALID: {
    meaning:
      'An append, or a request to read, that cannot be one; the message says why. A mistake of the calling program; nothing was appended.',
    action: 'Report it as a bug of that program.',
  },
  EVENT_TOO_LARGE: {
    meaning:
      'An event or a commit is larger than a limit, which the message names. Nothing was appended.',
    action: 'Split it, or open the log with a larger frame limit, up to 32 MiB.',
  },
  EVENT_WRONG_VERSION: {
    meaning:
      'A stream is not at the version that the writer has expected: somebody else has appended to it meanwhile. Nothing was appended.',
    action: 'Nothing: the caller reads the stream again and decides anew.',
  },
  EVENT_CONDITION_FAILED: {
    meaning:
      'An event that the condition of a commit forbids was appended since its writer has read, or too much to look at; the message names its position. Nothing was appended now.',
    action: 'Nothing: the caller reads again and decides anew.',
  },
  EVENT_STATE_OVERLOADED: {
    meaning:
      'More entries of the state wait for a checkpoint than may: the disk of `state/` is slower than the load. Nothing was appended; clients get 429.',
    action: 'Look at `holdfast_state_failed_checkpoints_total` and at that disk; is it full?',
  },
  EVENT_CLOCK_SKEW: {
    meaning:
      'The wall clock cannot be believed: it is ahead of what the monotonic clock allows, behind the last event, or, at a start, long after it. The message names both times. Nothing was appended; clients get 503 `clock-skew`.',
    action:
      'Set the clock right: commands go on by themselves once it is. If it is right as it is, `holdfast clock accept`.',
  },
  EVENT_CORRUPT: {
    meaning:
      'A record of the log verifies and yet is no event; the message names its position. A bug, or another program has written to this log. Nothing was changed.',
    action:
      'Copy the directory, run `holdfast wal verify` and `holdfast wal dump` on the copy, and report it with what they say. Restore a backup if the log is needed at once.',
  },
  EVENT_UNSUPPORTED_FORMAT: {
    meaning: 'An event is written in a format that this version does not know. Nothing is damaged.',
    action:
      'Start the newer version again. There is no way back to an older one once a newer has written.',
  },
  EVENT_UNKNOWN_SCHEMA: {
    meaning:
      'An event has a newer schema than this program knows: it is behind the one that wrote the log. Nothing is damaged.',
    action: 'Start the newer version again.',
  },
  EVENT_UPCAST_FAILED: {
    meaning:
      'A step of the program that brings older events up to date failed, or gave no data; the message names the event. Nothing is damaged.',
    action:
      'It is a mistake of the program: start one whose steps take the event. The log is sound.',
  },
  EVENT_POSITION_UNKNOWN: {
    meaning:
      'A position was asked for that was never given out, or state that has no checkpoint yet. A mistake of the caller.',
    action:
      'Ask for a position up to the last one; make a checkpoint first where one is needed (`holdfast checkpoint`).',
  },
  EVENT_POSITION_GONE: {
    meaning:
      'The state must be made anew, or a reader wants events, and what they need has left the log.',
    action:
      "Name the archive (`HOLDFAST_ARCHIVE_DIRECTORY`). Under the policy `snapshots` put `snapshots/` back from a backup. Of a restore: the backup has neither the log's beginning nor a snapshot that stands for it; nothing was made, so use another backup.",
  },
  EVENT_CANCELLED: {
    meaning:
      'A snapshot, or the reading of snapshots, was cancelled, or the log was closed meanwhile. Nothing of it is left, and nothing was removed on its strength.',
    action: 'Nothing, if that was meant. Start it again otherwise.',
  },
  EVENT_STATE_BROKEN: {
    meaning:
      'The program failed to fold an event into its state, which no longer follows from the log. The message names the event; it may be in the log. Nothing more is decided, and the process ends with 70.',
    action: 'It is a mistake of the program: start one that can fold the event. The log is sound.',
  },
  EVENT_STATE_DAMAGED: {
    meaning:
      'The checkpointed state is not what was written: its disk has changed it. Nothing is decided on it any more, and the process ends with 70.',
    action:
      'Nothing at once: the next start makes the state anew from a snapshot and the log. Look at the disk.',
  },
  EVENT_STATE_UNAVAILABLE: {
    meaning:
      'The checkpointed state could not be read or written for a reason of the machine, which the message names: no file descriptors, no memory, no rights, a device that does not answer; or a snapshot was given up for the sake of checkpoints that could wait for it no longer. Nothing says that it is damaged. A read is refused, and nothing was applied; where its thread has ended, the process ends with 70, and the next start looks at the state before it uses it.',
    action:
      'Look at the limits of the process and at the disk of `state/`. The command can be sent again.',
  },
  EVENT_LOG_CLOSED: {
    meaning: 'The log was closed before this call. Nothing was appended or read.',
    action: 'Nothing: the service is stopping.',
  },
};

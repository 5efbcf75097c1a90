import { ExitCode, type ExitCodes } from './exit-code.js';

/** How a process that has a log, and an operator, ends, by the code of what ended it. docs/operations.md says what to do about each. */
export const LOG_EXIT_CODES: ExitCodes = {
  WAL_ARCHIVE_NOT_FOUND: ExitCode.CONFIGURATION,
  WAL_ARCHIVE_MISMATCH: ExitCode.CONFIGURATION,
  WAL_INVALID_OPTION: ExitCode.CONFIGURATION,
  WAL_NOT_FOUND: ExitCode.CONFIGURATION,
  WAL_UNSUPPORTED_FILE_SYSTEM: ExitCode.CONFIGURATION,
  // A log that a newer program wrote: another program is needed, not another start.
  WAL_UNSUPPORTED_FORMAT: ExitCode.CONFIGURATION,
  EVENT_UNSUPPORTED_FORMAT: ExitCode.CONFIGURATION,
  EVENT_UNKNOWN_SCHEMA: ExitCode.CONFIGURATION,
  EVENT_UPCAST_FAILED: ExitCode.CONFIGURATION,
  EVENT_STATE_FOREIGN: ExitCode.CONFIGURATION,
  COMMANDS_EVENT_UNKNOWN: ExitCode.CONFIGURATION,
  READ_MODEL_NEWER: ExitCode.CONFIGURATION,
  READ_MODEL_CHANGED: ExitCode.CONFIGURATION,
  // Of the operator's part of a service.
  OPERATIONS_INVALID_OPTION: ExitCode.CONFIGURATION,
  DATA_DIRECTORY_UNUSABLE: ExitCode.CONFIGURATION,
  RESTORE_UNFINISHED: ExitCode.CONFIGURATION,
  ADMIN_TOKEN_MISSING: ExitCode.CONFIGURATION,
  ADMIN_TOKEN_INVALID: ExitCode.CONFIGURATION,
  PORT_UNUSABLE: ExitCode.CONFIGURATION,
  // Wrong credentials or another version: another start alone changes nothing.
  FEED_REFUSED: ExitCode.CONFIGURATION,
  FEED_SECURITY_INVALID: ExitCode.CONFIGURATION,

  WAL_CORRUPT: ExitCode.DATA,
  WAL_LOST_TAIL: ExitCode.DATA,
  WAL_BEHIND_STATE: ExitCode.DATA,
  // What the state would have to be made of is not there: a snapshot, or the archive.
  EVENT_POSITION_GONE: ExitCode.DATA,
  WAL_SEQUENCE_GONE: ExitCode.DATA,
  WAL_MISSING_SEGMENT: ExitCode.DATA,
  WAL_MANIFEST_DAMAGED: ExitCode.DATA,
  EVENT_CORRUPT: ExitCode.DATA,
  FEED_DIVERGED: ExitCode.DATA,
  FEED_COMPACTED: ExitCode.DATA,
  READ_MODEL_DAMAGED: ExitCode.DATA,

  // A service that runs waits for room; one that starts needs some for its claim, its first segment and its record, and has changed nothing else.
  WAL_FULL: ExitCode.FULL_DISK,
  ENOSPC: ExitCode.FULL_DISK,
  EDQUOT: ExitCode.FULL_DISK,

  WAL_LOCKED: ExitCode.LOCKED,
  // A port that another process holds.
  PORT_IN_USE: ExitCode.LOCKED,
  EADDRINUSE: ExitCode.LOCKED,

  WAL_POISONED: ExitCode.POISONED,
  WAL_FENCED: ExitCode.POISONED,
  EVENT_STATE_BROKEN: ExitCode.POISONED,
  // The log is sound, and the next start makes the state of it anew.
  EVENT_STATE_DAMAGED: ExitCode.POISONED,
  // Another start looks at the state again; by then the machine may have what it was short of.
  EVENT_STATE_UNAVAILABLE: ExitCode.POISONED,
};

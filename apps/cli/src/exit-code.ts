import { errorCode } from '@holdfast/kernel';

/**
 * What the tool says when it ends: scripts rely on it. Documented in docs/guides/command-line.md. The values above 63
 * are those of sysexits.h, as for the services.
 */
export const CliExit = {
  OK: 0,
  /** It ran, and the answer is no: damage in a log, rows that were not taken, a service that is not healthy. */
  PROBLEMS: 1,
  /** A verification: what was read is sound, and not everything could be verified; it says what not. */
  NOT_ALL_VERIFIED: 2,
  /** The command line itself. */
  USAGE: 64,
  /** What was given cannot be used: a damaged log, or an import's CSV or mapping. */
  BAD_INPUT: 65,
  /** The log or file is not there. */
  NO_INPUT: 66,
  /** The service does not answer. */
  UNAVAILABLE: 69,
  /** Anything else: look at the message. */
  FAILURE: 70,
  /** For the moment: another process holds the data or writes a file, or is not done with it. */
  LOCKED: 75,
  /** The service refuses what the whole work needs. */
  REFUSED: 76,
  /** The admin API wants a token, or another one. */
  DENIED: 77,
  /** The environment. */
  CONFIGURATION: 78,
  /** Ctrl-C. */
  INTERRUPTED: 130,
} as const;

export type CliExit = (typeof CliExit)[keyof typeof CliExit];

const EXIT_BY_CODE: Readonly<Record<string, CliExit>> = {
  WAL_CORRUPT: CliExit.BAD_INPUT,
  WAL_LOST_TAIL: CliExit.BAD_INPUT,
  WAL_BEHIND_STATE: CliExit.BAD_INPUT,
  WAL_MISSING_SEGMENT: CliExit.BAD_INPUT,
  WAL_MANIFEST_DAMAGED: CliExit.BAD_INPUT,
  EVENT_CORRUPT: CliExit.BAD_INPUT,
  IMPORT_MAPPING_INVALID: CliExit.BAD_INPUT,
  IMPORT_CSV_INVALID: CliExit.BAD_INPUT,
  IMPORT_OPTION_INVALID: CliExit.USAGE,
  IMPORT_REFUSED: CliExit.REFUSED,
  IMPORT_HISTORY_CHANGED: CliExit.LOCKED,
  IMPORT_RUNNING: CliExit.LOCKED,
  IMPORT_FILE_CHANGED: CliExit.LOCKED,
  WAL_BACKUP_DAMAGED: CliExit.BAD_INPUT,
  EVENT_STATE_DAMAGED: CliExit.BAD_INPUT,
  EVENT_POSITION_GONE: CliExit.BAD_INPUT,
  WAL_BACKUP_REFUSED: CliExit.PROBLEMS,
  WAL_RESTORE_REFUSED: CliExit.PROBLEMS,
  BACKUP_NOT_RESTORABLE: CliExit.PROBLEMS,
  RESTORE_TARGET_NOT_EMPTY: CliExit.PROBLEMS,
  WAL_ARCHIVE_MISMATCH: CliExit.BAD_INPUT,
  WAL_ARCHIVE_NOT_FOUND: CliExit.NO_INPUT,
  ARCHIVE_NOT_CONFIGURED: CliExit.NO_INPUT,
  WAL_NOT_FOUND: CliExit.NO_INPUT,
  ENOENT: CliExit.NO_INPUT,
  EISDIR: CliExit.NO_INPUT,
  SERVICE_UNREACHABLE: CliExit.UNAVAILABLE,
  CONFIGURATION_INVALID: CliExit.CONFIGURATION,
  DATA_DIRECTORY_UNUSABLE: CliExit.CONFIGURATION,
  RESTORE_UNFINISHED: CliExit.CONFIGURATION,
  EVENT_STATE_FOREIGN: CliExit.CONFIGURATION,
  LEDGER_EVENT_UNKNOWN: CliExit.CONFIGURATION,
  ADMIN_TOKEN_INVALID: CliExit.CONFIGURATION,
  WAL_INVALID_OPTION: CliExit.CONFIGURATION,
  ADMIN_DENIED: CliExit.DENIED,
  ADMIN_REFUSED: CliExit.PROBLEMS,
  JOB_CANCELLED: CliExit.INTERRUPTED,
  WORK_CANCELLED: CliExit.INTERRUPTED,
  WAL_CANCELLED: CliExit.INTERRUPTED,
  EVENT_CANCELLED: CliExit.INTERRUPTED,
  WAL_LOCKED: CliExit.LOCKED,
};

export function exitCodeOf(error: unknown): CliExit {
  return EXIT_BY_CODE[errorCode(error) ?? ''] ?? CliExit.FAILURE;
}

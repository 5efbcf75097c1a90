import {
  CodedError,
  errorCode,
  type ErrorDetails,
  errorMessage,
  isUnreadable,
} from '@holdfast/kernel';

/**
 * Every code with which this library fails. `docs/operations.md` says what to do about each.
 * The codes are a contract; the messages are not.
 */
export type WalErrorCode =
  // Opening
  | 'WAL_NOT_FOUND'
  | 'WAL_LOCKED'
  | 'WAL_UNSUPPORTED_FILE_SYSTEM'
  | 'WAL_UNSUPPORTED_FORMAT'
  | 'WAL_CORRUPT'
  | 'WAL_LOST_TAIL'
  | 'WAL_BEHIND_STATE'
  | 'WAL_MISSING_SEGMENT'
  | 'WAL_MANIFEST_DAMAGED'
  | 'WAL_READ_FAILED'
  | 'WAL_INVALID_OPTION'
  // Admission: nothing was assigned
  | 'WAL_EMPTY_BATCH'
  | 'WAL_TOO_LARGE'
  | 'WAL_OVERLOADED'
  | 'WAL_FULL'
  | 'WAL_CLOSED'
  // After admission: the outcome is unknown
  | 'WAL_POISONED'
  | 'WAL_FENCED'
  // Reading
  | 'WAL_SEQUENCE_GONE'
  // Archive, backup, compaction
  | 'WAL_ARCHIVE_NOT_FOUND'
  | 'WAL_ARCHIVE_CONFLICT'
  | 'WAL_ARCHIVE_MISMATCH'
  | 'WAL_BACKUP_REFUSED'
  | 'WAL_BACKUP_DAMAGED'
  | 'WAL_RESTORE_REFUSED'
  | 'WAL_CANCELLED'
  // Others
  | 'WAL_FLOOR_ABOVE_DURABLE'
  | 'WAL_INVALID_FLOOR'
  | 'WAL_SALVAGE_REFUSED';

export class WalError extends CodedError {
  override readonly name = 'WalError';

  constructor(
    override readonly code: WalErrorCode,
    message: string,
    details: ErrorDetails = {},
    options?: { cause?: unknown },
  ) {
    super(code, message, details, options);
  }
}

/** Where damage was found: what an operator needs before touching anything. */
export interface DamagePlace {
  readonly file: string;
  readonly offset: number;
  /** The first sequence that cannot be read. */
  readonly firstSequence: number;
  /** The last sequence that was promised to be there, when that is known. */
  readonly lastSequence?: number;
}

export function corrupt(reason: string, place: DamagePlace): WalError {
  return damaged('WAL_CORRUPT', reason, place);
}

export function lostTail(reason: string, place: DamagePlace): WalError {
  return damaged('WAL_LOST_TAIL', reason, place);
}

/** The state includes records that the log no longer has. */
export function behindState(
  place: { readonly logId: string; readonly sequence: number; readonly timeline: string },
  lastSequence: number,
): WalError {
  const { logId, sequence, timeline } = place;
  return new WalError(
    'WAL_BEHIND_STATE',
    `the log ends at sequence ${lastSequence}, and state was made of it up to ${sequence} in the same history: durable records are gone; nothing was changed`,
    { logId, sequence, timeline, lastSequence },
  );
}

export function missingSegment(
  file: string,
  details: { segment: number; firstSequence?: number; lastSequence?: number },
): WalError {
  const range =
    details.firstSequence === undefined
      ? ''
      : ` with sequences ${details.firstSequence} to ${details.lastSequence ?? 'the end'}`;
  return new WalError(
    'WAL_MISSING_SEGMENT',
    `segment ${details.segment}${range} is missing (${file})`,
    {
      file,
      ...details,
    },
  );
}

/** What was asked for has been removed by retention: a reader that needs it must begin from a snapshot or a backup. */
export function sequenceGone(sequence: number, firstSequence: number): WalError {
  return new WalError(
    'WAL_SEQUENCE_GONE',
    `the log begins at sequence ${firstSequence}; sequence ${sequence} was removed`,
    { sequence, firstSequence },
  );
}

export function walClosed(): WalError {
  return new WalError('WAL_CLOSED', 'the log is closed');
}

/** What could not be read, and why; a cause that says so itself, as a damaged block of an archive, is passed on. */
export function readFailed(file: string, offset: number, cause: unknown): WalError {
  if (cause instanceof WalError) return cause;
  return new WalError(
    'WAL_READ_FAILED',
    `reading ${file} at offset ${offset} failed: ${errorMessage(cause)}; nothing was changed`,
    { file, offset },
    { cause },
  );
}

/** Bytes that are wrong, or that the disk does not give any more. What else hinders a reading, as a want of descriptors does, says nothing of them. */
export function isRotten(error: unknown): boolean {
  return errorCode(error) === 'WAL_CORRUPT' || isUnreadable(saidBySystem(error));
}

/** What a file lacks or holds wrongly, or that it is not there: everything else that ends a reading hinders it, and says nothing of what would have been read. */
export function isDamage(error: unknown): boolean {
  const codes = ['WAL_LOST_TAIL', 'WAL_MISSING_SEGMENT', 'WAL_MANIFEST_DAMAGED'];
  const isGone = errorCode(saidBySystem(error)) === 'ENOENT';
  return isRotten(error) || isGone || codes.includes(errorCode(error) ?? '');
}

/** Rotten, or of a version that this one does not read: of no use, however often it is read. */
export function isOfNoUse(error: unknown): boolean {
  const codes = ['WAL_UNSUPPORTED_FORMAT', 'WAL_MANIFEST_DAMAGED'];
  return isRotten(error) || codes.includes(errorCode(error) ?? '');
}

/** What the system has said where a reading failed, or the error itself. */
export function saidBySystem(error: unknown): unknown {
  return error instanceof WalError && error.code === 'WAL_READ_FAILED' ? error.cause : error;
}

function damaged(
  code: 'WAL_CORRUPT' | 'WAL_LOST_TAIL',
  reason: string,
  place: DamagePlace,
): WalError {
  const upTo = place.lastSequence === undefined ? '' : ` to ${place.lastSequence}`;
  return new WalError(
    code,
    `${reason} (${place.file} at offset ${place.offset}, sequences ${place.firstSequence}${upTo}); nothing was changed`,
    { ...place },
  );
}

export function unsupported(path: string, reason: string): WalError {
  return new WalError(
    'WAL_UNSUPPORTED_FORMAT',
    `${path} was written by a newer version: ${reason}; nothing was changed`,
    { file: path, reason },
  );
}

/** Throws `WAL_CANCELLED`, with the reason as its cause. */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  throw new WalError('WAL_CANCELLED', 'the work was cancelled', {}, { cause: signal.reason });
}

/** What a person needs to act on an error: numbers, names and places, never free prose to be parsed. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * A failure with a stable code. The code is the contract: operators search for it and programs switch on it; the
 * message may change. Expected refusals are values, not errors; a bug is a failed assertion.
 */
export class CodedError extends Error {
  override readonly name: string = 'CodedError';

  constructor(
    readonly code: string,
    message: string,
    readonly details: ErrorDetails = {},
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/**
 * The `code` of anything thrown: ours, Node's (`ENOSPC`), or undefined. By property, not by `instanceof`, because
 * errors cross realms under test runners and workers.
 */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** The message of anything thrown. */
export function errorMessage(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'message' in error)
    return String(error.message);
  return String(error);
}

/** EIO, EBADMSG and EUCLEAN (ext4 and XFS say these two of a bad block of their own): Node has no names for the latter, and gives their numbers on Linux. */
const UNREADABLE = new Set(['EIO', 'Unknown system error -74', 'Unknown system error -117']);

/** Whether a disk says so of a place that it has lost. By the code, which also comes over from a thread. */
export function isUnreadable(error: unknown): boolean {
  return UNREADABLE.has(errorCode(error) ?? '');
}

import type { Position } from '@holdfast/event-store';
import { CodedError, type ErrorDetails, errorCode, errorMessage } from '@holdfast/kernel';
import type { FeedCursor } from './event-feed.js';

/** The cursor belongs to another log, or to another history of this one. Following it would mix two truths. */
export function feedDiverged(cursor: FeedCursor, found: ErrorDetails): CodedError {
  return new CodedError(
    'FEED_DIVERGED',
    `the log is not the one that position ${cursor.position} was read from: it was restored or replaced; rebuild the projection`,
    {
      position: cursor.position,
      logId: cursor.logId,
      timeline: cursor.timeline,
      ...found,
    },
  );
}

/** The log has dropped events that the cursor has not seen. */
export function feedCompacted(cursor: FeedCursor, firstPosition?: Position): CodedError {
  const first = firstPosition === undefined ? '' : `, and begins at ${firstPosition} now`;
  return new CodedError(
    'FEED_COMPACTED',
    `the log no longer holds what follows position ${cursor.position}: it was removed by retention${first}. Give the log its archive, or restore a backup that still has it, and rebuild the projection from there`,
    { position: cursor.position, logId: cursor.logId, firstPosition },
  );
}

/** Out of reach for now: trying again from the cursor is right. */
export function feedUnavailable(source: string, cause: unknown): CodedError {
  return new CodedError(
    'FEED_UNAVAILABLE',
    `the event feed of ${source} is out of reach: ${errorMessage(cause)}`,
    { source },
    { cause },
  );
}

/**
 * What passes: a directory before its writer has made the log in it, or while it is being put back; an archive whose volume is away; and what a process or a machine is short of for now. None of it
 * says anything about the log. Trying again from the cursor is right.
 */
const PASSING: ReadonlySet<string | undefined> = new Set([
  ...['WAL_NOT_FOUND', 'WAL_ARCHIVE_NOT_FOUND', 'WAL_READ_FAILED', 'ENOENT'],
  ...['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EINTR'],
  ...['EIO', 'ESTALE', 'ETIMEDOUT', 'EACCES', 'EPERM', 'ENOTCONN', 'EHOSTDOWN'],
]);

export function isPassing(error: unknown): boolean {
  return PASSING.has(errorCode(error));
}

/** The server will never serve this client as it is: credentials, versions, arguments. */
export function feedRefused(source: string, cause: unknown): CodedError {
  return new CodedError(
    'FEED_REFUSED',
    `the event feed of ${source} refuses this consumer: ${errorMessage(cause)}`,
    { source },
    { cause },
  );
}

/** What no source may send; seen before anything of it is applied. */
export function feedInvalid(source: string, problem: string, position: Position): CodedError {
  return new CodedError(
    'FEED_INVALID',
    `the event feed of ${source} sent what cannot be: ${problem} (after position ${position})`,
    { source, position },
  );
}

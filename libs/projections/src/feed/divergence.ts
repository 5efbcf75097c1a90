import type { EventSource } from '@holdfast/event-store';
import { BEFORE_FIRST_POSITION } from '@holdfast/event-store/reading';
import type { CodedError } from '@holdfast/kernel';
import type { FeedCursor } from '../event-feed.js';
import { feedDiverged } from '../feed.errors.js';

/**
 * Why what was seen up to this cursor is not of this log's history; undefined when it is, or when the log cannot tell: the position is not visible yet, or
 * no longer there. Identity comes before positions: those of two logs, or of two histories, say nothing about each other.
 *
 * A watermark may lag behind what a consumer has already seen, but only in the history that the log goes on in. What was seen beyond the end of an earlier
 * one, or of one that the log does not have, was taken back: by a restore, or by an older copy in the log's place.
 */
export function divergenceOf(
  source: Pick<EventSource, 'logId' | 'durablePosition' | 'newestTimeline' | 'timelineAt'>,
  cursor: FeedCursor,
): CodedError | undefined {
  const { position, timeline } = cursor;
  if (cursor.logId !== source.logId) return feedDiverged(cursor, { foundLogId: source.logId });
  if (position === BEFORE_FIRST_POSITION) return undefined;
  // The newest timeline first: a log that is opened anew between the two looks shows at least what it had before.
  const { newestTimeline } = source;
  const lastPosition = source.durablePosition;
  if (position > lastPosition)
    return newestTimeline === '' || newestTimeline === timeline
      ? undefined
      : feedDiverged(cursor, { foundTimeline: newestTimeline, lastPosition });
  const foundTimeline = source.timelineAt(position);
  return foundTimeline === undefined || foundTimeline === timeline
    ? undefined
    : feedDiverged(cursor, { foundTimeline });
}

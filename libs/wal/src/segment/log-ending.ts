import type { SegmentHeader } from '../format/segment-header.js';
import type { SegmentName } from '../format/segment-name.js';

/** Of the segment that a restore makes behind what it has restored. Below that of every claim. */
export const RESTORED_EPOCH = 0;

/**
 * Whether the log ends in this history: it is that of its last record, or of an opening that has left no record since. So a place of it that the log does not come to was lost. What a restore has
 * ended is not: the log has left it on purpose.
 */
export function endsIn(
  timeline: string,
  /** Oldest first. */
  segments: readonly { readonly name: SegmentName; readonly header: SegmentHeader }[],
  lastSequence: number,
  /** Of the place before the log's first sequence, if it is known. */
  timelineBefore: string | undefined,
): boolean {
  for (const { name, header } of segments.toReversed()) {
    if (header.timeline === timeline) return true;
    if (name.firstSequence <= lastSequence || header.epoch === RESTORED_EPOCH) return false;
  }
  return timelineBefore === timeline;
}

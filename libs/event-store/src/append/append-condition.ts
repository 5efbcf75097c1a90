import { defined } from '@holdfast/kernel';
import type { Position, RecordedEvent } from '../event.js';
import type { AppendCondition, EventQuery } from '../event-log.js';
import { EventStoreError, invalid } from '../event-store.errors.js';
import type { PositionIndex } from '../index/position-index.js';

const QUERIES_MAX = 100;
/** Most events that are looked at for one condition. Whoever has missed more reads again anyway. */
const EVENTS_LOOKED_AT_MAX = 256;

/** What a condition is checked against: everything admitted, durable or not. */
export interface ConditionContext {
  readonly tags: PositionIndex;
  readonly firstPosition: Position;
  readonly lastPosition: Position;
  /** As it was recorded; undefined where it has left the log. */
  readonly eventAt: (position: Position) => RecordedEvent | undefined;
}

/** An event that a condition forbids; without `event` it was not looked at, and counts as one. */
export interface ForbiddenEvent {
  readonly position: Position;
  readonly event: RecordedEvent | undefined;
}

/**
 * The events after the condition's position that match one of its queries, newest first within a query. An event that compaction has dropped is passed over, so
 * that the answer is the same whether the index has seen it or not. What retention has removed counts as a match: nobody can say that it is none. So does
 * everything beyond the most that is looked at. Throws `EVENT_INVALID` for a condition that cannot be one.
 */
export function* forbiddenEvents(
  { failIfEventsMatch: queries, after }: AppendCondition,
  context: ConditionContext,
): Generator<ForbiddenEvent, void> {
  assertCondition(queries, after, context.lastPosition);
  let lookedAt = 0;
  for (const query of queries) {
    const { types } = query;
    for (const position of candidates(query, after, context.tags)) {
      const isLookedAt = position >= context.firstPosition && ++lookedAt <= EVENTS_LOOKED_AT_MAX;
      const event = isLookedAt ? context.eventAt(position) : undefined;
      if (!isLookedAt) yield { position, event };
      else if (event === undefined) continue;
      else if (matches(query.tags, types, event)) yield { position, event };
      if (lookedAt > EVENTS_LOOKED_AT_MAX) return;
    }
  }
}

export function conditionFailed(
  { after }: AppendCondition,
  { position }: ForbiddenEvent,
): EventStoreError {
  return new EventStoreError(
    'EVENT_CONDITION_FAILED',
    `the event at position ${position} came after position ${after}, and the condition of the commit forbids it; nothing was appended`,
    { position, after },
  );
}

/** The positions after this one of the tag that has the fewest of them, newest first. */
function* candidates(
  { tags }: EventQuery,
  after: Position,
  index: PositionIndex,
): Generator<Position, void> {
  let rarest: { tag: string; start: number; length: number } | undefined;
  for (const tag of tags) {
    const length = index.length(tag);
    const start = index.countUpTo(tag, after);
    if (rarest === undefined || length - start < rarest.length - rarest.start)
      rarest = { tag, start, length };
  }
  const { tag, start: stop, length } = defined(rarest, 'a query has tags');
  for (let at = length - 1; at >= stop; at--) {
    const { start, positions } = index.page(tag, at);
    yield defined(positions[at - start], 'a position of a page');
  }
}

function matches(
  tags: readonly string[],
  types: readonly string[] | undefined,
  event: RecordedEvent,
): boolean {
  return (
    tags.every((tag) => event.tags.includes(tag)) &&
    (types === undefined || types.includes(event.type))
  );
}

function assertCondition(
  queries: readonly EventQuery[],
  after: Position,
  lastPosition: Position,
): void {
  if (queries.length === 0 || queries.length > QUERIES_MAX)
    throw invalid(`a condition has 1 to ${QUERIES_MAX} queries, not ${queries.length}`);
  for (const { tags } of queries) {
    if (tags.length === 0) throw invalid('a query of a condition has at least one tag');
    if (!tags.every((tag) => tag.isWellFormed()))
      throw invalid('a tag of a condition is not well-formed Unicode');
  }
  if (!Number.isInteger(after) || after < 0)
    throw invalid(`a condition holds after a position from 0, not ${after}`);
  // Of another history, perhaps: what was decided there says nothing here.
  if (after > lastPosition)
    throw invalid(
      `a condition holds after position ${after}, which was never given out; the last is ${lastPosition}`,
      { after, lastPosition },
    );
}

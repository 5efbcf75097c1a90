import { defined } from '@holdfast/kernel';
import type { Position, RecordedEvent } from '../event.js';
import type { AppendCondition, EventQuery } from '../event-log.js';
import { EventStoreError, invalid } from '../event-store.errors.js';
import type { PositionIndex } from '../index/position-index.js';

const QUERIES_MAX = 100;
/** Most events that are looked at for one query. Whoever has missed more reads again anyway. */
const EVENTS_LOOKED_AT_MAX = 256;

/** What a condition is checked against: everything admitted, durable or not. */
export interface ConditionContext {
  readonly tags: PositionIndex;
  readonly firstPosition: Position;
  readonly lastPosition: Position;
  /** As it was recorded; undefined where it has left the log. */
  readonly eventAt: (position: Position) => RecordedEvent | undefined;
}

/** The first event after the condition's position that one query forbids, or that nobody can say it does not. */
export interface ForbiddenEvent {
  readonly after: Position;
  readonly position: Position;
  /** Left out: it was removed, or there are too many to look at before it. */
  readonly event: RecordedEvent | undefined;
}

/**
 * For each query the first event after the condition's position that matches. The first, because an earlier append of the same commit has found none: if it is
 * there, its events are the first. An event that compaction has dropped is passed over, so that the answer is the same whether the index has seen it or
 * not. What retention has removed counts as a match: nobody can say that it is none. So does what lies beyond the most that is looked at. Throws
 * `EVENT_INVALID` for a condition that cannot be one.
 */
export function forbiddenEvents(
  { failIfEventsMatch: queries, after }: AppendCondition,
  context: ConditionContext,
): readonly ForbiddenEvent[] {
  assertCondition(queries, after, context.lastPosition);
  return queries
    .map((query) => firstForbidden(query, after, context))
    .filter((one) => one !== undefined);
}

function firstForbidden(
  query: EventQuery,
  after: Position,
  { tags, firstPosition, eventAt }: ConditionContext,
): ForbiddenEvent | undefined {
  let lookedAt = 0;
  for (const position of candidates(query, after, tags)) {
    if (position < firstPosition || ++lookedAt > EVENTS_LOOKED_AT_MAX)
      return { after, position, event: undefined };
    const event = eventAt(position);
    if (event !== undefined && matches(query, event)) return { after, position, event };
  }
  return undefined;
}

/** Throw it where none of the forbidden events is the commit's own. */
export function conditionFailed({ after, position, event }: ForbiddenEvent): EventStoreError {
  const reason =
    event === undefined
      ? `too much came after position ${after}, or was removed since, to look at what stands at position ${position} and behind it`
      : `the event at position ${position} came after position ${after}, and the condition of the commit forbids it`;
  return new EventStoreError('EVENT_CONDITION_FAILED', `${reason}; nothing was appended now`, {
    ...{ position, after },
  });
}

/** The positions after this one of the tag that has the fewest of them. */
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
  const { tag, start: first, length } = defined(rarest, 'a query has tags');
  for (let at = first; at < length; at++) {
    const { start, positions } = index.page(tag, at);
    yield defined(positions[at - start], 'a position of a page');
  }
}

function matches({ tags, types }: EventQuery, event: RecordedEvent): boolean {
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

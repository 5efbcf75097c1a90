import { defined } from '@holdfast/kernel';
import type { Position, RecordedEvent } from '../event.js';
import type { AppendCondition, EventQuery } from '../event-log.js';
import { EventStoreError, invalid } from '../event-store.errors.js';
import type { PositionIndex } from '../index/position-index.js';

const QUERIES_MAX = 100;
/** Most events that are looked at for one query. Whoever has missed more reads again anyway. */
const EVENTS_LOOKED_AT_MAX = 256;
/** Most times that the tags of one query are asked in turn for a position that all of them have. */
const ROUNDS_MAX = 1024;

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
  readonly query: EventQuery;
  readonly after: Position;
  readonly position: Position;
  /** Left out: it was removed, or there are too many to look at before it. */
  readonly event: RecordedEvent | undefined;
}

/**
 * For each query the first event after the condition's position that matches. An event that compaction has dropped is passed over, so that the answer is the same whether the index has seen it or
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

/**
 * The events that the search for a forbidden one comes to, up to that one; from the log's beginning on where the search ends before it. If a commit was appended before, and the query forbids one of
 * its events, the first of these that its append did not find is its own: all that its append looked at stands in front of it, and it would have gone on to where the forbidden event stands. So the
 * commit is recognised whatever is in its way to that event, and whatever has come behind it.
 */
export function* searchedEvents(
  { query, after, position: last }: ForbiddenEvent,
  { tags, firstPosition, eventAt }: ConditionContext,
): Iterable<RecordedEvent> {
  let from = Math.max(after + 1, firstPosition) as Position;
  // As many as an append goes by without a refusal, and the commit's own.
  for (let step = 0; step <= EVENTS_LOOKED_AT_MAX + ROUNDS_MAX; step++) {
    const found = sharedFrom(from, query.tags, tags);
    if (found === undefined) return;
    const { position, isShared } = found;
    const event = eventAt(position);
    if (event !== undefined) yield event;
    if (position === last || (event !== undefined && matches(query, event))) return;
    from = (isShared ? position + 1 : position) as Position;
  }
}

/** Goes from one position that all tags have to the next. How it comes to a position rests on what is before that position alone. */
function firstForbidden(
  query: EventQuery,
  after: Position,
  { tags, firstPosition, eventAt }: ConditionContext,
): ForbiddenEvent | undefined {
  let [lookedAt, rounds, from] = [0, 0, (after + 1) as Position];
  for (;;) {
    const found = sharedFrom(from, query.tags, tags);
    if (found === undefined) return undefined;
    const { position, isShared } = found;
    const unknown = { query, after, position, event: undefined };
    from = position;
    if (!isShared) {
      if (++rounds > ROUNDS_MAX) return unknown;
      continue;
    }
    if (position < firstPosition) return unknown;
    const event = eventAt(position);
    if (event !== undefined && matches(query, event)) return { query, after, position, event };
    if (++lookedAt > EVENTS_LOOKED_AT_MAX) return unknown;
    from = (position + 1) as Position;
  }
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

/** Asks each tag once for its first position from here on, or from where another has its own; shared is one that they all have. Undefined where one has no more. */
function sharedFrom(
  from: Position,
  tags: readonly string[],
  index: PositionIndex,
): { readonly position: Position; readonly isShared: boolean } | undefined {
  let [position, sharing] = [from, 0];
  for (const tag of tags) {
    const at = index.countUpTo(tag, (position - 1) as Position);
    if (at === index.length(tag)) return undefined;
    const { start, positions } = index.page(tag, at);
    const found = defined(positions[at - start], 'a position of a page');
    sharing = found === position ? sharing + 1 : 1;
    position = found;
  }
  return { position, isShared: sharing === tags.length };
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

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

/**
 * Goes from one position that all tags have to the next. How it comes to a position rests on what is before that position alone, so a commit that was appended finds its own event again, however much
 * has come behind it: also where it went to the very limit the first time, hence the one more of each at the end.
 */
function firstForbidden(
  query: EventQuery,
  after: Position,
  { tags, firstPosition, eventAt }: ConditionContext,
): ForbiddenEvent | undefined {
  let [lookedAt, rounds, from] = [0, 0, (after + 1) as Position];
  for (;;) {
    const unknown = { after, position: from, event: undefined };
    const found = sharedFrom(from, query.tags, tags);
    if (found === undefined) return rounds > ROUNDS_MAX ? unknown : undefined;
    const { position, isShared } = found;
    from = position;
    if (!isShared) {
      if (++rounds > ROUNDS_MAX + 1) return { ...unknown, position };
      continue;
    }
    if (position < firstPosition) return { ...unknown, position };
    const event = eventAt(position);
    if (event !== undefined && matches(query, event)) return { after, position, event };
    if (++lookedAt > EVENTS_LOOKED_AT_MAX) return { ...unknown, position };
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

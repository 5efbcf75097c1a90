import { defined } from '@holdfast/kernel';
import type { NewEvent, Position, RecordedEvent, StreamVersion } from '../event.js';
import type { Commit, StreamAppend } from '../event-log.js';
import { exactVersion } from './expected-versions.js';
import type { StreamIndex } from '../index/stream-index.js';

type EventAt = (position: Position) => RecordedEvent | undefined;

/**
 * The events of an earlier append of this very commit, if there was one. An append with an exact expected version says where
 * its events would be; the commit is there if and only if all of its events are, with their ids, in their streams, from one
 * commit's beginning to its end. A commit without an exact version cannot be recognised so.
 */
export function findRepeated(
  commit: Commit,
  index: StreamIndex,
  eventAt: EventAt,
): readonly RecordedEvent[] | undefined {
  return repeatedAt(expectedPosition(commit, index), commit, eventAt);
}

/** As `findRepeated`, where one of these is the commit's own. */
export function findRepeatedAmong(
  events: Iterable<RecordedEvent>,
  commit: Commit,
  eventAt: EventAt,
): readonly RecordedEvent[] | undefined {
  const ids = commit.appends.flatMap((append) => append.events.map(({ id }) => id));
  const own = new Set(ids);
  const looked = new Set<number>();
  for (const { id, position } of events) {
    const first = own.has(id) ? position - ids.indexOf(id) : 0;
    if (first < 1 || looked.has(first)) continue;
    looked.add(first);
    const repeated = repeatedAt(first as Position, commit, eventAt);
    if (repeated !== undefined) return repeated;
  }
  return undefined;
}

function repeatedAt(
  first: Position | undefined,
  commit: Commit,
  eventAt: EventAt,
): readonly RecordedEvent[] | undefined {
  if (first === undefined || first < 1) return undefined;
  const given = commit.appends.flatMap(({ stream, events }) =>
    events.map((event) => ({ stream, event })),
  );
  const found: RecordedEvent[] = [];
  for (const { stream, event } of given) {
    const recorded = eventAt((first + found.length) as Position);
    if (recorded === undefined || !isSame(recorded, stream, event)) return undefined;
    found.push(recorded);
  }
  return isWholeCommit(found, eventAt) ? found : undefined;
}

/** Where the commit's first event must be, judged by its first append with an exact version. */
function expectedPosition({ appends }: Commit, index: StreamIndex): Position | undefined {
  let offset = 0;
  for (const append of appends) {
    const position = expectedAppendPosition(append, index);
    if (position !== undefined) return (position - offset) as Position;
    offset += append.events.length;
  }
  return undefined;
}

function expectedAppendPosition(append: StreamAppend, index: StreamIndex): Position | undefined {
  const version = exactVersion(append.expectedVersion);
  if (version === undefined || append.events.length === 0) return undefined;
  return index.positionOf(append.stream, (version + 1) as StreamVersion);
}

function isSame(recorded: RecordedEvent, stream: string, { id }: NewEvent): boolean {
  return recorded.id === id && recorded.stream === stream;
}

function isWholeCommit(found: readonly RecordedEvent[], eventAt: EventAt): boolean {
  const before = eventAt((defined(found[0], 'a commit has events').position - 1) as Position);
  const ends = found.findIndex(({ endsCommit }) => endsCommit);
  return before?.endsCommit !== false && ends === found.length - 1;
}

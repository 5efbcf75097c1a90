import { setImmediate } from 'node:timers/promises';
import { defined } from '@holdfast/kernel';
import type { DurableEvents } from './durable-events.js';
import type { Position, RecordedEvent, StreamVersion } from './event.js';
import type { Direction, ReadStreamOptions, ReadTagOptions, TaggedEvent } from './event-log.js';
import { corruptEvent, invalid, positionGone } from './event-store.errors.js';
import type { PositionIndex } from './position-index.js';
import type { StreamIndex } from './stream-index.js';

/** Most events that are looked for at once. */
const RUN_POSITIONS_MAX = 256;
/**
 * Positions that lie this close together, on average, are found by one scan; others are read one by one. Passing an event in a
 * scan takes about a hundredth of the time that a single read takes.
 */
const SCANNED_DISTANCE_MAX = 64;
/** Others run after this many single reads. */
const SINGLE_READS_MAX = 16;

/** The events of one stream or one tag, through the index, up to what is durable when the reading begins. */
export class IndexedEvents {
  constructor(
    private readonly events: DurableEvents,
    private readonly index: StreamIndex,
  ) {}

  async *stream(stream: string, options: ReadStreamOptions): AsyncGenerator<RecordedEvent, void> {
    const { direction = 'forward', from } = options;
    if (from !== undefined && !(Number.isInteger(from) && from >= 1))
      throw invalid(`a stream is read from version 1 or higher, not ${from}`);
    this.events.assertOpen();
    const count = this.index.streams.countUpTo(stream, this.events.durablePosition);
    const start = direction === 'forward' ? (from ?? 1) - 1 : Math.min(from ?? count, count) - 1;
    const found = this.read(this.index.streams, stream, count, start, direction, options.limit);
    for await (const { event, index } of found) {
      const expected = index + 1;
      // The version itself was dropped by compaction, and the one that follows it stands in its place.
      if (event.stream === stream && event.version > expected && this.isStandIn(stream, index))
        continue;
      if (event.stream !== stream || event.version !== expected)
        throw corruptEvent(`the index has version ${expected} of ${stream} there`, event.position);
      yield event;
    }
  }

  async *tag(tag: string, options: ReadTagOptions): AsyncGenerator<RecordedEvent, void> {
    const { direction = 'forward', after } = options;
    const { tags } = this.index;
    this.events.assertOpen();
    const count = tags.countUpTo(tag, this.events.durablePosition);
    const start =
      direction === 'forward'
        ? countUpTo(tags, tag, after ?? 0)
        : Math.min(count, after === undefined ? count : countUpTo(tags, tag, after - 1)) - 1;
    for await (const { event } of this.read(tags, tag, count, start, direction, options.limit)) {
      if (!event.tags.includes(tag)) throw notTagged(tag, event.position);
      yield event;
    }
  }

  /**
   * The newest event with the tag that can be read with `eventAt`, or where one was that has left the log with everything before it. Passes over what
   * compaction has dropped: one step for each time that the tag was given to an event which went since.
   */
  lastTagged(
    tag: string,
    eventAt: (position: Position) => RecordedEvent | undefined,
  ): TaggedEvent | undefined {
    const { tags } = this.index;
    for (let index = tags.length(tag) - 1; index >= 0; index--) {
      const { start, positions } = tags.page(tag, index);
      const position = defined(positions[index - start], 'a position of a page');
      const event = eventAt(position);
      if (event === undefined && position >= this.events.firstPosition) continue;
      if (event?.tags.includes(tag) === false) throw notTagged(tag, position);
      return { position, event };
    }
    return undefined;
  }

  private isStandIn(stream: string, index: number): boolean {
    const { streams } = this.index;
    const here = this.index.positionOf(stream, (index + 1) as StreamVersion);
    return (
      index + 1 < streams.length(stream) &&
      here === this.index.positionOf(stream, (index + 2) as StreamVersion)
    );
  }

  /** Entries of a list from index `start` on, run by run. */
  private async *read(
    list: PositionIndex,
    term: string,
    count: number,
    start: number,
    direction: Direction,
    limit = Infinity,
  ): AsyncGenerator<{ event: RecordedEvent; index: number }, void> {
    if (!(limit >= 0)) throw invalid(`a limit is a number from 0, not ${limit}`);
    const step = direction === 'forward' ? 1 : -1;
    const most = Math.floor(limit);
    const stop = step === 1 ? Math.min(count, start + most) : Math.max(-1, start - most);
    let index = start;
    while (step * (stop - index) > 0) {
      for await (const event of this.at(positionsFrom(list, term, index, stop))) {
        // Undefined: dropped by compaction since it was indexed.
        if (event !== undefined) yield { event, index };
        index += step;
      }
    }
  }

  /** One event for each position; undefined where compaction has dropped it. Throws `EVENT_POSITION_GONE` where all before a position was removed. */
  private async *at(
    positions: readonly Position[],
  ): AsyncGenerator<RecordedEvent | undefined, void> {
    const lowest = Math.min(...positions) as Position;
    const { firstPosition } = this.events;
    if (lowest < firstPosition) throw positionGone(lowest, firstPosition);
    const found = areClose(positions) ? await this.events.eventsAt(positions) : undefined;
    let reads = 0;
    for (const position of positions) {
      const event = found?.get(position) ?? this.events.eventAt(position);
      yield event;
      if (++reads % SINGLE_READS_MAX === 0) await setImmediate();
    }
  }
}

/** The positions at `index` and on towards `stop`, which is exclusive: as many as make a run. */
function positionsFrom(list: PositionIndex, term: string, index: number, stop: number): Position[] {
  const run: Position[] = [];
  while (index !== stop && run.length < RUN_POSITIONS_MAX) {
    const { start, positions } = list.page(term, index);
    const page =
      index < stop
        ? positions.slice(index - start, stop - start)
        : positions.slice(Math.max(0, stop + 1 - start), index + 1 - start).reverse();
    run.push(...page);
    index += index < stop ? page.length : -page.length;
  }
  return run;
}

function areClose(positions: readonly Position[]): boolean {
  const first = defined(positions[0], 'a page holds positions');
  const last = defined(positions.at(-1), 'a page holds positions');
  return positions.length > 1 && Math.abs(last - first) <= positions.length * SCANNED_DISTANCE_MAX;
}

function notTagged(tag: string, position: Position): Error {
  return corruptEvent(`the index has an event with tag ${tag} there`, position);
}

function countUpTo(list: PositionIndex, term: string, position: number): number {
  return list.countUpTo(term, position as Position);
}

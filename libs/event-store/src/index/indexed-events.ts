import { setImmediate } from 'node:timers/promises';
import { defined } from '@holdfast/kernel';
import type { DurableEvents } from '../log/durable-events.js';
import type { Position, RecordedEvent, StreamVersion } from '../event.js';
import type { Direction, ReadStreamOptions, ReadTagOptions, TaggedEvent } from '../event-log.js';
import { corruptEvent, invalid, positionGone } from '../event-store.errors.js';
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
    const { streams } = this.index;
    yield* this.read({ list: streams, term: stream, count, start, ...options }, (event, index) => {
      const expected = index + 1;
      if (event.stream === stream && event.version === expected) return true;
      // The version itself was dropped by compaction, and the one that follows it stands in its place.
      if (event.stream === stream && event.version > expected && this.isStandIn(stream, index))
        return false;
      throw corruptEvent(`the index has version ${expected} of ${stream} there`, event.position);
    });
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
    yield* this.read({ list: tags, term: tag, count, start, ...options }, (event) => {
      if (event.tags.includes(tag)) return true;
      throw notTagged(tag, event.position);
    });
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

  /** The events of a list from index `start` on, run by run, that are there and pass: at most as many as the limit says. */
  private async *read(
    { list, term, count, start, direction = 'forward', limit = Infinity }: ListRead,
    passes: (event: RecordedEvent, index: number) => boolean,
  ): AsyncGenerator<RecordedEvent, void> {
    if (!(limit >= 0)) throw invalid(`a limit is a number from 0, not ${limit}`);
    const step = direction === 'forward' ? 1 : -1;
    const stop = step === 1 ? count : -1;
    let left = Math.floor(limit);
    let index = start;
    // As many as are wanted; where compaction has taken many, a larger run finds the next.
    let runPositions = Math.min(left, RUN_POSITIONS_MAX);
    while (left > 0 && step * (stop - index) > 0) {
      this.events.assertOpen();
      for await (const event of this.at(positionsFrom(list, term, index, stop, runPositions))) {
        // Undefined: dropped by compaction since it was indexed.
        if (event !== undefined && passes(event, index)) {
          yield event;
          left--;
        }
        index += step;
        if (left === 0) return;
      }
      runPositions = Math.min(2 * runPositions, RUN_POSITIONS_MAX);
    }
  }

  /**
   * One event for each position; undefined where compaction has dropped it. Throws `EVENT_POSITION_GONE` at the first that was removed with all before it,
   * also while the reader took its time.
   */
  private async *at(
    positions: readonly Position[],
  ): AsyncGenerator<RecordedEvent | undefined, void> {
    const { firstPosition } = this.events;
    const held = positions.filter((position) => position >= firstPosition);
    const found = areClose(held) ? await this.events.eventsAt(held) : undefined;
    let reads = 0;
    for (const position of positions) {
      const scanned = found?.get(position);
      const event = scanned ?? this.events.eventAt(position);
      // Asked after the read: retention may have passed the position since the run began, or just now.
      if (scanned === undefined && position < this.events.firstPosition)
        throw positionGone(position, this.events.firstPosition);
      yield event;
      if (++reads % SINGLE_READS_MAX === 0) await setImmediate();
    }
  }
}

interface ListRead {
  readonly list: PositionIndex;
  readonly term: string;
  /** Of the list's entries, those that are durable. */
  readonly count: number;
  readonly start: number;
  readonly direction?: Direction;
  readonly limit?: number;
}

/** The positions at `index` and on towards `stop`, which is exclusive: as many as make a run. */
function positionsFrom(
  list: PositionIndex,
  term: string,
  index: number,
  stop: number,
  most: number,
): Position[] {
  const run: Position[] = [];
  while (index !== stop && run.length < most) {
    const { start, positions } = list.page(term, index);
    const page =
      index < stop
        ? positions.slice(index - start, stop - start)
        : positions.slice(Math.max(0, stop + 1 - start), index + 1 - start).reverse();
    run.push(...page);
    index += index < stop ? page.length : -page.length;
  }
  return run.slice(0, most);
}

function areClose(positions: readonly Position[]): boolean {
  const [first = 0] = positions;
  const last = positions.at(-1) ?? 0;
  return positions.length > 1 && Math.abs(last - first) <= positions.length * SCANNED_DISTANCE_MAX;
}

function notTagged(tag: string, position: Position): Error {
  return corruptEvent(`the index has an event with tag ${tag} there`, position);
}

function countUpTo(list: PositionIndex, term: string, position: number): number {
  return list.countUpTo(term, position as Position);
}

import { setImmediate } from 'node:timers/promises';
import { defined } from '@holdfast/kernel';
import type { DurableEvents } from './durable-events.js';
import type { Position, RecordedEvent } from './event.js';
import type { Direction, ReadStreamOptions, ReadTagOptions } from './event-log.js';
import { corruptEvent, invalid } from './event-store.errors.js';
import type { PositionIndex } from './position-index.js';
import type { StreamIndex } from './stream-index.js';

/** Positions that lie this close together, on average, are read by one scan; others one by one. */
const SCANNED_DISTANCE_MAX = 16;
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
    const count = this.index.streams.countUpTo(stream, this.events.durablePosition);
    const start = direction === 'forward' ? (from ?? 1) - 1 : Math.min(from ?? count, count) - 1;
    const found = this.read(this.index.streams, stream, count, start, direction, options.limit);
    for await (const { event, index } of found) {
      const expected = index + 1;
      if (event.stream !== stream || event.version !== expected)
        throw corruptEvent(`the index has version ${expected} of ${stream} there`, event.position);
      yield event;
    }
  }

  async *tag(tag: string, options: ReadTagOptions): AsyncGenerator<RecordedEvent, void> {
    const { direction = 'forward', after } = options;
    const { tags } = this.index;
    const count = tags.countUpTo(tag, this.events.durablePosition);
    const start =
      direction === 'forward'
        ? countUpTo(tags, tag, after ?? 0)
        : Math.min(count, after === undefined ? count : countUpTo(tags, tag, after - 1)) - 1;
    for await (const { event } of this.read(tags, tag, count, start, direction, options.limit)) {
      if (!event.tags.includes(tag))
        throw corruptEvent(`the index has an event with tag ${tag} there`, event.position);
      yield event;
    }
  }

  /** Entries of a list from index `start` on, page by page. */
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
    let index = start;
    let left = limit;
    while (left > 0 && index >= 0 && index < count) {
      const page = list.page(term, index);
      const offset = index - page.start;
      const inPage =
        direction === 'forward'
          ? page.positions.slice(offset, count - page.start)
          : page.positions.slice(0, offset + 1).reverse();
      const positions = left < inPage.length ? inPage.slice(0, left) : inPage;
      for await (const event of this.at(positions)) {
        yield { event, index };
        index += step;
      }
      left -= positions.length;
    }
  }

  /** One event for each position. */
  private async *at(positions: readonly Position[]): AsyncGenerator<RecordedEvent, void> {
    const found = areClose(positions) ? await this.events.eventsAt(positions) : undefined;
    let reads = 0;
    for (const position of positions) {
      const event = found?.get(position) ?? this.events.eventAt(position);
      yield defined(event, 'an event that the index names');
      if (++reads % SINGLE_READS_MAX === 0) await setImmediate();
    }
  }
}

function areClose(positions: readonly Position[]): boolean {
  const first = defined(positions[0], 'a page holds positions');
  const last = defined(positions.at(-1), 'a page holds positions');
  return positions.length > 1 && Math.abs(last - first) <= positions.length * SCANNED_DISTANCE_MAX;
}

function countUpTo(list: PositionIndex, term: string, position: number): number {
  return list.countUpTo(term, position as Position);
}

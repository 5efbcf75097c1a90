import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RecordedEvent } from '../event.js';
import type { EventBatch, EventFilter, EventLog, EventSource } from '../event-log.js';
import {
  allBatches,
  allEvents,
  oneAppend,
  position,
  positionsOf,
  sampleEvent,
  sampleEvents,
} from './sample-events.js';

/** A log and a view of it that is to fulfil the contract: the log itself, or a reader beside it. */
export interface SourceUnderTest {
  readonly log: EventLog;
  readonly source: EventSource;
  close(): Promise<void>;
}

/** What everything that delivers events must do. `open` gives a source of an empty log. */
export function describeEventSource(name: string, open: () => Promise<SourceUnderTest>): void {
  describe(`the event source contract: ${name}`, () => {
    let log: EventLog;
    let source: EventSource;
    let opened: SourceUnderTest;
    const aborts: AbortController[] = [];

    beforeEach(async () => {
      opened = await open();
      ({ log, source } = opened);
    });

    afterEach(async () => {
      for (const abort of aborts.splice(0)) abort.abort();
      await opened.close();
    });

    /** Commits of 1, 2 … `count` events, in streams and with tags that tell them apart; 15 events when `count` is 5. */
    async function appendCommits(count: number): Promise<RecordedEvent[]> {
      const appended: RecordedEvent[] = [];
      for (let size = 1; size <= count; size++) {
        const events = Array.from({ length: size }, (_, index) =>
          sampleEvent(index, {
            type: index % 2 === 0 ? 'Even' : 'Odd',
            tags: [`size:${size}`, `index:${index}`, 'all'],
          }),
        );
        const stream = `${size % 2 === 0 ? 'even' : 'odd'}-${size}`;
        appended.push(...log.append(oneAppend(stream, events)).events);
      }
      await log.whenDurable(log.lastPosition);
      await visible(source, log);
      return appended;
    }

    /** Takes batches until `count` events have come, then ends the subscription. */
    async function take(
      count: number,
      options: { after?: number; filter?: EventFilter; batchEvents?: number } = {},
    ): Promise<RecordedEvent[]> {
      const abort = new AbortController();
      aborts.push(abort);
      const events: RecordedEvent[] = [];
      const { after = 0, ...rest } = options;
      const subscription = source.subscribe({
        after: position(after),
        signal: abort.signal,
        ...rest,
      });
      for await (const batch of subscription) {
        events.push(...batch.events);
        if (events.length >= count) break;
      }
      return events;
    }

    describe('reading everything', () => {
      it('delivers nothing of an empty log', async () => {
        expect(source.durablePosition).toBe(0);
        expect(await allBatches(source)).toEqual([]);
        expect(await allBatches(source, { direction: 'backward' })).toEqual([]);
        expect(source.timelineAt(position(0))).toBe('');
        expect(source.timelineAt(position(1))).toBeUndefined();
      });

      it('delivers every event as it was appended, in order', async () => {
        const appended = await appendCommits(5);
        expect(await allEvents(source)).toEqual(appended);
        expect(positionsOf(appended)).toEqual(appended.map((_, index) => index + 1));
      });

      it('delivers the same backward, from the last to the first', async () => {
        const appended = await appendCommits(5);
        expect(await allEvents(source, { direction: 'backward' })).toEqual(appended.toReversed());
      });

      it('begins after the given position, in either direction', async () => {
        const appended = await appendCommits(5);
        const forward = await allEvents(source, { after: position(6) });
        const backward = await allEvents(source, { after: position(7), direction: 'backward' });
        expect(forward).toEqual(appended.slice(6));
        expect(backward).toEqual(appended.slice(0, 6).reverse());
        expect(await allEvents(source, { after: position(15) })).toEqual([]);
        expect(await allEvents(source, { after: position(99) })).toEqual([]);
        expect(await allEvents(source, { after: position(1), direction: 'backward' })).toEqual([]);
      });

      it('fills batches with whole commits up to the limit, and gives a larger commit its own', async () => {
        await appendCommits(7);
        const forward = await allBatches(source, { batchEvents: 5 });
        expect(shapeOf(forward)).toEqual([
          [[1, 2, 3], 3],
          [[4, 5, 6], 6],
          [[7, 8, 9, 10], 10],
          [[11, 12, 13, 14, 15], 15],
          [[16, 17, 18, 19, 20, 21], 21],
          [[22, 23, 24, 25, 26, 27, 28], 28],
        ]);
        const backward = await allBatches(source, { batchEvents: 5, direction: 'backward' });
        expect(shapeOf(backward)).toEqual([
          [[28, 27, 26, 25, 24, 23, 22], 22],
          [[21, 20, 19, 18, 17, 16], 16],
          [[15, 14, 13, 12, 11], 11],
          [[10, 9, 8, 7], 7],
          [[6, 5, 4, 3, 2], 2],
          [[1], 1],
        ]);
      });

      it('keeps a commit whole that is larger than any batch', async () => {
        await log.appendDurably(oneAppend('small', sampleEvents(3)));
        await log.appendDurably(oneAppend('large', sampleEvents(2_500)));
        await log.appendDurably(oneAppend('small', sampleEvents(3)));
        await visible(source, log);
        for (const direction of ['forward', 'backward'] as const) {
          const batches = await allBatches(source, { direction, batchEvents: 100 });
          const sizes = batches.map(({ events }) => events.length);
          expect(sizes).toEqual([3, 2_500, 3]);
        }
      });

      it('ends a batch early when its events are large, but never within a commit', async () => {
        const text = 'x'.repeat(1024 * 1024);
        const large = (count: number) => oneAppend('s', sampleEvents(count, { data: { text } }));
        for (const count of [2, 1, 3, 1, 6, 1]) await log.appendDurably(large(count));
        await visible(source, log);
        const forward = await allBatches(source);
        expect(forward.map(({ events }) => events.length)).toEqual([3, 3, 1, 6, 1]);
        const backward = await allBatches(source, { direction: 'backward' });
        expect(positionsOf(backward.flatMap(({ events }) => events))).toEqual(
          Array.from({ length: 14 }, (_, index) => 14 - index),
        );
        expect(Math.max(...backward.map(({ events }) => events.length))).toBe(6);
      });

      it('refuses a batch of less than one event', () => {
        expect(() => source.readAll({ batchEvents: 0 })).toThrow(
          expect.objectContaining({ code: 'EVENT_INVALID' }),
        );
      });
    });

    describe('a filter', () => {
      it.each<[string, EventFilter, (event: RecordedEvent) => boolean]>([
        ['by type', { types: ['Odd'] }, ({ type }) => type === 'Odd'],
        ['by any of several types', { types: ['Odd', 'Even', 'None'] }, () => true],
        ['by stream prefix', { streamPrefix: 'even-' }, ({ stream }) => stream.startsWith('even-')],
        ['by whole stream name', { streamPrefix: 'odd-3' }, ({ stream }) => stream === 'odd-3'],
        ['by tag', { tags: ['size:4'] }, ({ tags }) => tags.includes('size:4')],
        [
          'by any of several tags',
          { tags: ['size:4', 'index:0'] },
          ({ tags }) => tags.includes('size:4') || tags.includes('index:0'),
        ],
        [
          'by all conditions at once',
          { types: ['Even'], streamPrefix: 'odd', tags: ['index:2'] },
          ({ type, stream, tags }) =>
            type === 'Even' && stream.startsWith('odd') && tags.includes('index:2'),
        ],
        ['by a type that is only the beginning of one', { types: ['Eve'] }, () => false],
        ['by a tag that is only the beginning of one', { tags: ['size:'] }, () => false],
        ['by an empty list, which has no member to match', { types: [] }, () => false],
        ['by nothing', {}, () => true],
      ])('passes events %s, in both directions', async (_, filter, passes) => {
        const expected = (await appendCommits(9)).filter(passes);
        expect(await allEvents(source, { filter })).toEqual(expected);
        const backward = await allEvents(source, { filter, direction: 'backward' });
        expect(backward).toEqual(expected.toReversed());
        const small = await allEvents(source, { filter, batchEvents: 2 });
        expect(small).toEqual(expected);
      });

      it('reports how far it looked, also past what it left out', async () => {
        await appendCommits(6);
        const none = await allBatches(source, { filter: { types: ['None'] } });
        expect(shapeOf(none)).toEqual([[[], 21]]);
        const first = await allBatches(source, { filter: { tags: ['size:1'] }, batchEvents: 1 });
        expect(shapeOf(first)).toEqual([
          [[1], 1],
          [[], 21],
        ]);
        const last = await allBatches(source, {
          filter: { tags: ['size:6'] },
          direction: 'backward',
        });
        expect(last.at(-1)?.position).toBe(1);
      });
    });

    describe('a subscription', () => {
      it('delivers what is there, then what comes', async () => {
        const appended = await appendCommits(3);
        const taking = take(9);
        for (const size of [1, 2]) {
          const { events } = await log.appendDurably(oneAppend('later', sampleEvents(size)));
          appended.push(...events);
        }
        expect(await taking).toEqual(appended);
      });

      it('has neither a gap nor a repetition while commits go on, wherever it begins', async () => {
        const total = 600;
        const appending = (async () => {
          for (let count = 0; count < total / 3; count++) {
            log.append(oneAppend(`stream-${count % 7}`, sampleEvents(3)));
            if (count % 5 === 0) await log.whenDurable(log.lastPosition);
          }
        })();
        const takings = [0, 3, 300].map((after) => take(total - after, { after, batchEvents: 10 }));
        await appending;
        for (const [index, after] of [0, 3, 300].entries()) {
          const expected = Array.from({ length: total - after }, (_, at) => after + at + 1);
          expect(positionsOf(await takings[index]!)).toEqual(expected);
        }
      });

      it('passes filtered events only, and reports its progress past the others', async () => {
        const abort = new AbortController();
        aborts.push(abort);
        const subscribed = source.subscribe({
          after: position(0),
          filter: { tags: ['mine'] },
          signal: abort.signal,
        });
        const subscription = subscribed[Symbol.asyncIterator]();
        await log.appendDurably(oneAppend('a', sampleEvents(2)));
        expect((await subscription.next()).value).toEqual({ events: [], position: 2 });
        const mine = oneAppend('b', [sampleEvent(1, { tags: ['mine'] }), sampleEvent(2)]);
        const { events } = await log.appendDurably(mine);
        expect((await subscription.next()).value).toEqual({ events: [events[0]], position: 4 });
        abort.abort();
        expect((await subscription.next()).done).toBe(true);
      });

      it('waits for a position that is not there yet', async () => {
        const taking = take(1, { after: 2 });
        await log.appendDurably(oneAppend('a', sampleEvents(2)));
        const { events } = await log.appendDurably(oneAppend('a', sampleEvents(1)));
        expect(await taking).toEqual(events);
      });

      it('ends when its signal fires while it waits, and leaves no listener behind', async () => {
        const abort = new AbortController();
        const ended = (async () => {
          for await (const batch of source.subscribe({ after: position(0), signal: abort.signal }))
            throw new Error(`nothing was appended, but ${batch.position} came`);
          return 'ended';
        })();
        await new Promise((resolve) => setTimeout(resolve, 20));
        expect(getEventListeners(abort.signal, 'abort').length).toBeGreaterThan(0);
        abort.abort();
        expect(await ended).toBe('ended');
        expect(getEventListeners(abort.signal, 'abort')).toEqual([]);
      });

      it('leaves no listener behind when its reader stops, however many it has had', async () => {
        await appendCommits(3);
        const abort = new AbortController();
        for (let round = 0; round < 20; round++) {
          for await (const batch of source.subscribe({ after: position(0), signal: abort.signal }))
            if (batch.position > 0) break;
        }
        expect(getEventListeners(abort.signal, 'abort')).toEqual([]);
      });

      it('delivers nothing once its signal has fired', async () => {
        await appendCommits(2);
        const signal = AbortSignal.abort();
        const batches: EventBatch[] = [];
        for await (const batch of source.subscribe({ after: position(0), signal }))
          batches.push(batch);
        expect(batches).toEqual([]);
      });

      it('reads no further than its reader takes', async () => {
        await appendCommits(40);
        const abort = new AbortController();
        aborts.push(abort);
        const positions: number[] = [];
        const subscription = source.subscribe({
          after: position(0),
          batchEvents: 1,
          signal: abort.signal,
        });
        for await (const batch of subscription) {
          positions.push(batch.position);
          if (positions.length === 3) abort.abort();
        }
        expect(positions).toEqual([1, 3, 6]);
      });
    });

    it('names one history for all that was appended since the log was opened', async () => {
      await appendCommits(3);
      const timelines = [1, 3, 6].map((at) => source.timelineAt(position(at)));
      expect(timelines[0]).toMatch(/^.+$/);
      expect(new Set(timelines).size).toBe(1);
      expect(source.timelineAt(position(7))).toBeUndefined();
      expect(source.logId).toBe(log.logId);
    });
  });
}

/** A reader in another process learns of durability a little later than the writer. */
async function visible(source: EventSource, log: EventLog): Promise<void> {
  while (source.durablePosition < log.durablePosition)
    await new Promise((resolve) => setTimeout(resolve, 1));
}

function shapeOf(batches: readonly EventBatch[]): [number[], number][] {
  return batches.map(({ events, position }) => [positionsOf(events), position]);
}

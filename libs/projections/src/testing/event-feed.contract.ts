import type { Position, RecordedEvent } from '@holdfast/event-store';
import { runs } from '@holdfast/kernel/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EventFeed, FeedBatch, FeedCursor, FeedOptions } from '../event-feed.js';
import { eventually } from './eventually.js';
import {
  type FeedUnderTest,
  HEARTBEAT_UNDER_TEST_MILLIS,
  WINDOW_UNDER_TEST_BYTES,
} from './feed-under-test.js';
import type { LogUnderTest } from './log-under-test.js';

/** What every `EventFeed` promises, on a real log. */
export function describeEventFeed(name: string, create: () => Promise<FeedUnderTest>): void {
  describe(`event feed contract: ${name}`, () => {
    let subject: FeedUnderTest;
    let log: LogUnderTest;
    let leaving: AbortController;

    beforeEach(async () => {
      subject = await create();
      ({ log } = subject);
      leaving = new AbortController();
    });

    afterEach(async () => {
      leaving.abort();
      await subject.dispose();
    });

    const open = (options: Partial<FeedOptions> = {}, feed: EventFeed = subject.feed) =>
      feed.open({ from: undefined, signal: leaving.signal, ...options });

    /** Reads until the consumer stands at the position or beyond. */
    const readTo = async (
      position: Position,
      options: Partial<FeedOptions> = {},
      feed?: EventFeed,
    ): Promise<Read> => {
      const read = new Read();
      for await (const batch of open(options, feed)) {
        read.take(batch);
        if (batch.cursor.position >= position) break;
      }
      return read;
    };

    const cursorAt = async (position: Position): Promise<FeedCursor> =>
      (await readTo(position, { batchEvents: 1 })).cursor;

    describe('what it delivers', () => {
      it('delivers every event as it was recorded, in the order of the log', async () => {
        const recorded = [
          ...(await log.append(
            { stream: 'a', type: 'opened', data: { amount: '12', nested: { list: [1, null] } } },
            { stream: 'b', type: 'opened', tags: ['account:main/cash', 'key:ä'] },
          )),
          ...(await log.append({ stream: 'a', type: 'closed', data: { text: '\u0000 ✓ "' } })),
        ];
        const read = await readTo(recorded.at(-1)!.position);
        expect(read.events).toEqual(recorded);
        expect(read.cursor).toEqual({
          logId: log.log.logId,
          position: 3,
          timeline: log.log.timelineAt(3 as Position),
        });
      });

      it('goes from catching up to live without a gap and without a repetition', async () => {
        await log.appendMany(2_000, (index) => ({ data: { index } }));
        const reading = readTo(4_000 as Position, { batchEvents: 100 });
        await log.appendMany(2_000, (index) => ({ data: { index: 2_000 + index } }));
        const { events } = await reading;
        expect(events.map(({ data }) => data['index'])).toEqual(upTo(4_000, 0));
        expect(events.map(({ position }) => position)).toEqual(upTo(4_000, 1));
      });

      it('delivers a live event soon after it became durable', async () => {
        const [first] = await log.append({});
        const batches = open()[Symbol.asyncIterator]();
        await batches.next();
        const [second] = await log.append({});
        expect(await nextEvents(batches)).toEqual([second]);
        expect(first!.position).toBe(1);
      });

      it('never splits a commit, however small the batches asked for', async () => {
        for (let commit = 0; commit < 20; commit += 1)
          await log.append(...upTo(1 + (commit % 5), 0).map((index) => ({ data: { index } })));
        const read = await readTo(log.log.lastPosition, { batchEvents: 2 });
        expect(read.batches.length).toBeGreaterThanOrEqual(20 - 5);
        for (const { events, cursor } of read.batches.filter((batch) => batch.events.length > 0)) {
          expect(events.at(-1)).toMatchObject({ endsCommit: true, position: cursor.position });
          expect(events.filter((event) => event.endsCommit).length).toBeLessThanOrEqual(2);
        }
        expect(read.events).toHaveLength(60);
      });

      it('delivers a commit, and an event, larger than anything it buffers, whole', async () => {
        const big = 'x'.repeat(3 * WINDOW_UNDER_TEST_BYTES);
        const piece = 'y'.repeat(50_000);
        await log.append({ data: { big } });
        await log.append(...upTo(40, 0).map((index) => ({ data: { index, piece } })));
        await log.append({ data: { big } }, { data: { big } });
        const read = await readTo(43 as Position);
        expect(read.events.map(({ position }) => position)).toEqual(upTo(43, 1));
        expect(read.events[0]!.data).toEqual({ big });
        expect(read.events[20]!.data).toEqual({ index: 19, piece });
        const cuts = read.batches.map(({ cursor }) => cursor.position);
        expect([1, 41, 43]).toEqual(expect.arrayContaining(cuts));
      });

      it('says where the log ends with each batch, and now and then when nothing happens', async () => {
        await log.append({}, {});
        const heard: FeedBatch[] = [];
        for await (const batch of open()) {
          heard.push(batch);
          if (heard.length === 3) break;
        }
        expect(
          heard.map(({ events, cursor, head }) => [events.length, cursor.position, head]),
        ).toEqual([
          [2, 2, 2],
          [0, 2, 2],
          [0, 2, 2],
        ]);
      });
    });

    describe('filters', () => {
      it('delivers what passes every condition, and nothing else', async () => {
        await log.append(
          { stream: 'account-1', type: 'opened', tags: ['red'] },
          { stream: 'account-1', type: 'closed', tags: ['red'] },
          { stream: 'order-1', type: 'opened', tags: ['red'] },
          { stream: 'account-2', type: 'opened', tags: ['blue'] },
          { stream: 'account-2', type: 'renamed', tags: ['green', 'red'] },
        );
        const filter = {
          types: ['opened', 'renamed'],
          streamPrefix: 'account-',
          tags: ['red', 'yellow'],
        };
        const read = await readTo(5 as Position, { filter });
        expect(read.events.map(({ position }) => position)).toEqual([1, 5]);
      });

      it('moves past what the filter leaves out, so that its consumer reaches every position', async () => {
        await log.append({ type: 'wanted' }, { type: 'other' });
        await log.appendMany(3_000, () => ({ type: 'other' }));
        const read = await readTo(3_002 as Position, { filter: { types: ['wanted'] } });
        expect(read.events.map(({ position }) => position)).toEqual([1]);
        expect(read.cursor.position).toBe(3_002);
        const resumed = await readTo(3_003 as Position, {
          filter: { types: ['wanted'] },
          from: await log.append({ type: 'wanted' }).then(() => read.cursor),
        });
        expect(resumed.events.map(({ position }) => position)).toEqual([3_003]);
      });

      it('tells progress without the wanted events seldom, however many are left out', async () => {
        const reading = readTo(2_000 as Position, { filter: { types: ['wanted'] } });
        const startedAt = performance.now();
        for (let index = 0; index < 2_000; index += 1) {
          log.appendSoon({ type: 'other' });
          if (index % 10 === 9) await log.log.whenDurable(log.log.lastPosition);
        }
        const { batches } = await reading;
        const elapsedMillis = performance.now() - startedAt;
        expect(batches.length).toBeLessThanOrEqual(3 + elapsedMillis / 45);
      });
    });

    describe('cursors', () => {
      it('resumes after any batch exactly where it was', async () => {
        await log.appendMany(50, (index) => ({ data: { index } }));
        const whole = await readTo(50 as Position, { batchEvents: 7 });
        for (const { cursor } of whole.batches.filter((batch) => batch.cursor.position < 50)) {
          const rest = await readTo(50 as Position, { from: cursor });
          expect(rest.events).toEqual(whole.events.slice(cursor.position));
        }
      });

      it('waits for live events when the cursor is at the end of the log', async () => {
        await log.append({}, {});
        const from = await cursorAt(2 as Position);
        const reading = readTo(3 as Position, { from });
        await sleep(HEARTBEAT_UNDER_TEST_MILLIS / 2);
        await log.append({ data: { live: true } });
        expect((await reading).events).toMatchObject([{ position: 3, data: { live: true } }]);
      });

      it('refuses the cursor of another log', async () => {
        await log.append({}, {});
        const from = { ...(await cursorAt(2 as Position)), logId: randomUUID() };
        await expect(readTo(3 as Position, { from })).rejects.toMatchObject({
          code: 'FEED_DIVERGED',
          details: { position: 2, logId: from.logId, foundLogId: log.log.logId },
        });
      });

      it('refuses a cursor at position 0 of another log', async () => {
        const from = { logId: randomUUID(), position: 0 as Position, timeline: '' };
        await expect(readTo(1 as Position, { from })).rejects.toMatchObject({
          code: 'FEED_DIVERGED',
        });
      });

      it('refuses a cursor of a history that the log was restored away from', async () => {
        await log.append({ data: { kept: true } });
        await subject.stopSource();
        await log.backUp();
        await subject.startSource();
        await log.append({ data: { lost: true } });
        const before = await cursorAt(1 as Position);
        const lost = await cursorAt(2 as Position);
        await subject.stopSource();
        await log.restore();
        await subject.startSource();
        await log.append({ data: { instead: true } });
        await expect(
          readTo(2 as Position, { from: lost }, subject.another()),
        ).rejects.toMatchObject({
          code: 'FEED_DIVERGED',
          details: { position: 2, timeline: lost.timeline },
        });
        const read = await readTo(2 as Position, { from: before }, subject.another());
        expect(read.events).toMatchObject([{ position: 2, data: { instead: true } }]);
      });

      // It waited here once, without an end, because a watermark may lag. A watermark lags in the history that the log goes on in, and in no other: a
      // read model that had seen more than a restored log holds served balances of a history that was no more, as healthy.
      it.each(['at once', 'also after another restart'])(
        'refuses a cursor beyond the end of a history that the log has left, %s',
        async (when) => {
          await log.append({ data: { kept: true } });
          await subject.stopSource();
          await log.backUp();
          await subject.startSource();
          await log.append({ data: { lost: true } }, { data: { lost: true } });
          const lost = await cursorAt(3 as Position);
          await subject.stopSource();
          await log.restore();
          await subject.startSource();
          if (when !== 'at once') {
            await log.append({ data: { instead: true } });
            await subject.stopSource();
            await subject.startSource();
          }
          await expect(
            readTo(3 as Position, { from: lost }, subject.another()),
          ).rejects.toMatchObject({
            code: 'FEED_DIVERGED',
            details: { position: 3, timeline: lost.timeline },
          });
        },
      );

      it('refuses a cursor beyond the end of the log as it was when that cursor was read', async () => {
        await log.append({});
        await subject.stopSource();
        await log.backUp();
        await subject.startSource();
        await subject.stopSource();
        await log.restore();
        await subject.startSource();
        const { logId, timeline } = await cursorAt(1 as Position);
        const from = { logId, position: 2 as Position, timeline };
        await expect(readTo(2 as Position, { from }, subject.another())).rejects.toMatchObject({
          code: 'FEED_DIVERGED',
        });
      });

      it('says at once to a consumer that has everything that this is so', async () => {
        await log.append({});
        const from = await cursorAt(1 as Position);
        for await (const first of open({ from })) {
          expect(first).toEqual({ events: [], cursor: from, head: 1 });
          break;
        }
      });
    });

    describe('its consumer', () => {
      it('gets no more than it asks for: a pause buffers a bounded number of bytes', async () => {
        const filler = 'z'.repeat(1_000);
        const count = runs({ short: 4_000, long: 10_000 });
        await log.appendMany(count, (index) => ({ data: { index, filler } }));
        const batches = open({ batchEvents: 50 })[Symbol.asyncIterator]();
        const first = await batches.next();
        await sleep(300);
        const consumers = subject.consumers() ?? [];
        for (const { outstandingBytes, sentPosition } of consumers) {
          expect(outstandingBytes).toBeLessThanOrEqual(WINDOW_UNDER_TEST_BYTES);
          expect(sentPosition).toBeLessThan(1_000);
        }
        const read = new Read();
        for (let next = first; read.events.length < count; next = await batches.next())
          read.take(next.value as FeedBatch);
        expect(read.events.map(({ position }) => position)).toEqual(upTo(count, 1));
      });

      it.each(['idle', 'paused within a backlog'])('leaves promptly while %s', async (when) => {
        await log.appendMany(when === 'idle' ? 1 : 5_000, (index) => ({ data: { index } }));
        const batches = open({ batchEvents: 10 })[Symbol.asyncIterator]();
        await batches.next();
        if (when !== 'idle') await sleep(50);
        const next = batches.next();
        const startedAt = performance.now();
        leaving.abort();
        await next;
        expect(await batches.next()).toEqual({ done: true, value: undefined });
        expect(performance.now() - startedAt).toBeLessThan(1_000);
      });

      it('gets nothing when it has left before it came', async () => {
        await log.append({});
        leaving.abort();
        const read = new Read();
        for await (const batch of open()) read.take(batch);
        expect(read.batches).toEqual([]);
      });

      it('is listed while it reads, with what it has applied, and forgotten when it leaves its loop', async () => {
        if (subject.consumers() === undefined) return;
        await log.append({}, {});
        const subscription = open({ consumer: 'balances' });
        for await (const batch of subscription) {
          subscription.applied(batch.cursor.position);
          if (batch.events.length === 0) break;
        }
        await eventually(() => expect(subject.consumers()).toEqual([]));
        const second = open({ consumer: 'search' });
        for await (const batch of second) {
          second.applied(batch.cursor.position);
          if (batch.events.length > 0) continue;
          expect(subject.consumers()).toMatchObject([
            { consumer: 'search', sentPosition: 2, appliedPosition: 2 },
          ]);
          break;
        }
      });

      it('says what it needs kept: what follows its last durable position, and only when it asks for that', async () => {
        if (subject.consumers() === undefined) return;
        await log.append({}, {});
        const [from] = [await cursorAt(2 as Position)];
        await log.append({});
        await eventually(() => expect(subject.consumers()).toEqual([]));
        const keeping = open({ from, consumer: 'balances', keepsFloor: true });
        const needs = () =>
          subject
            .consumers()
            ?.map(({ durablePosition, appliedPosition, keepsFloor }) => [
              durablePosition,
              appliedPosition,
              keepsFloor,
            ]);
        for await (const batch of keeping) {
          await eventually(() => expect(needs()).toEqual([[2, 2, true]]));
          keeping.applied(batch.cursor.position, false);
          await eventually(() => expect(needs()).toEqual([[2, 3, true]]));
          keeping.applied(batch.cursor.position);
          await eventually(() => expect(needs()).toEqual([[3, 3, true]]));
          break;
        }
        await eventually(() => expect(subject.consumers()).toEqual([]));
        for await (const batch of open({ from, consumer: 'a passer-by' })) {
          expect(batch.head).toBe(3);
          expect(needs()).toEqual([[2, 2, false]]);
          break;
        }
      });

      it('shares the source with others that read at their own pace', async () => {
        await log.appendMany(3_000, (index) => ({ data: { index } }));
        const slow = open({ batchEvents: 10 })[Symbol.asyncIterator]();
        await slow.next();
        const reads = await Promise.all([
          readTo(3_000 as Position, {}, subject.another()),
          readTo(3_000 as Position, { batchEvents: 17 }),
        ]);
        for (const { events } of reads)
          expect(events.map(({ position }) => position)).toEqual(upTo(3_000, 1));
      });
    });

    describe('its source', () => {
      it('goes and comes back: a consumer goes on from its cursor, and misses nothing', async () => {
        await log.appendMany(500, (index) => ({ data: { index } }));
        const read = new Read();
        const failures: unknown[] = [];
        const follow = async () => {
          while (read.events.length < 1_000)
            try {
              const from = read.batches.at(-1)?.cursor;
              for await (const batch of open({ from, batchEvents: 100 })) {
                read.take(batch);
                if (read.events.length >= 1_000) return;
              }
            } catch (error) {
              failures.push(error);
              await sleep(20);
            }
        };
        const following = follow();
        await eventually(() => expect(read.events.length).toBe(500));
        await subject.stopSource();
        await sleep(50);
        await subject.startSource();
        await log.appendMany(500, (index) => ({ data: { index: 500 + index } }));
        await following;
        expect(read.events.map(({ data }) => data['index'])).toEqual(upTo(1_000, 0));
        for (const failure of failures) expect(failure).toMatchObject({ code: 'FEED_UNAVAILABLE' });
      });
    });
  });
}

/** What a consumer has got so far. */
class Read {
  readonly batches: FeedBatch[] = [];
  readonly events: RecordedEvent[] = [];

  get cursor(): FeedCursor {
    return this.batches.at(-1)!.cursor;
  }

  take(batch: FeedBatch): void {
    this.batches.push(batch);
    this.events.push(...batch.events);
  }
}

async function nextEvents(batches: AsyncIterator<FeedBatch>): Promise<readonly RecordedEvent[]> {
  for (;;) {
    const { value } = (await batches.next()) as { value: FeedBatch };
    if (value.events.length > 0) return value.events;
  }
}

function upTo(count: number, first: number): number[] {
  return Array.from({ length: count }, (_, index) => first + index);
}

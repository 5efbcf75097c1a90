import type { EventSource, Position } from '@holdfast/event-store';
import { describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FeedBatch } from '../event-feed.js';
import { FeedConsumers } from './feed-consumers.js';
import { PROGRESS_POSITIONS, SourceFeed } from './source-feed.js';
import { describeEventFeed } from '../testing/event-feed.contract.js';
import { HEARTBEAT_UNDER_TEST_MILLIS } from '../testing/feed-under-test.js';
import { LogUnderTest } from '../testing/log-under-test.js';
import { MemoryEventSource } from '../testing/memory-event-source.js';

const heartbeatMillis = HEARTBEAT_UNDER_TEST_MILLIS;

describeEventFeed("within the writer's process", async () => {
  const log = await LogUnderTest.create();
  const consumers = new FeedConsumers();
  const connect = () => new SourceFeed(log.log, { heartbeatMillis, consumers });
  let current = connect();
  return {
    log,
    // The log object is another one after each start; the consumer under test need not know.
    feed: {
      open: (options) => current.open(options),
      close: () => current.close(),
    },
    another: connect,
    consumers: () => consumers.list(),
    stopSource: () => log.stop(),
    startSource: async () => {
      await log.start();
      current = connect();
    },
    dispose: () => log.dispose(),
  };
});

describe('a feed on a source', () => {
  const { signal } = new AbortController();

  /** A reader whose sight of the log is limited, as by a watermark that lags. */
  const withSight = (source: MemoryEventSource, visible: () => number): EventSource => ({
    logId: source.logId,
    get durablePosition() {
      return visible() as Position;
    },
    readAll: (options) => source.readAll(options),
    subscribe: (options) => source.subscribe(options),
    timelineAt: (position) => (position > visible() ? undefined : source.timelineAt(position)),
    get newestTimeline() {
      return source.newestTimeline;
    },
  });

  it('goes on from a cursor that becomes visible late', async () => {
    const source = new MemoryEventSource();
    source.commit([{}, {}, {}]);
    let visible = 1;
    const feed = new SourceFeed(withSight(source, () => visible));
    const from = new SourceFeed(source).cursorAt(2 as Position);
    const batches = feed.open({ from, signal })[Symbol.asyncIterator]();
    const next = batches.next();
    await sleep(30);
    visible = 3;
    expect((await next).value).toMatchObject({ events: [{ position: 3 }] });
  });

  it('gives up for now on a cursor that does not become visible, and says what is seen', async () => {
    const source = new MemoryEventSource();
    source.commit([{}, {}, {}]);
    const feed = new SourceFeed(
      withSight(source, () => 1),
      { visibilityMillisMax: 1 },
    );
    const from = new SourceFeed(source).cursorAt(3 as Position);
    await expect(feed.open({ from, signal })[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'FEED_UNAVAILABLE',
      message: expect.stringContaining('no more than position 1') as unknown,
    });
  });

  it('refuses a report of a place beyond the end, and names its kind', () => {
    const source = new MemoryEventSource();
    source.commit([{}]);
    const feed = new SourceFeed(source);
    const ahead = { ...feed.cursorAt(1 as Position), position: 2 as Position };
    expect(() => feed.assertOwn(ahead)).toThrow(
      expect.objectContaining({ code: 'FEED_UNAVAILABLE' }),
    );
    source.restart();
    expect(() => feed.assertOwn(ahead)).toThrow(expect.objectContaining({ code: 'FEED_DIVERGED' }));
  });

  it('is unavailable when the log was put back under it, so that its consumer comes again and is looked at anew', async () => {
    const source = new MemoryEventSource();
    source.commit([{}]);
    source.commit([{}]);
    let visible = 2;
    const feed = new SourceFeed(
      withSight(source, () => visible),
      { heartbeatMillis: 1 },
    );
    const batches = feed.open({ from: undefined, signal })[Symbol.asyncIterator]();
    await batches.next();
    visible = 1;
    await expect(batches.next()).rejects.toMatchObject({ code: 'FEED_UNAVAILABLE' });
  });

  it('lets go of its source when its consumer leaves it between two batches', async () => {
    const source = new MemoryEventSource();
    source.commit([{}]);
    source.commit([{}]);
    let left = false;
    const watched: EventSource = {
      ...withSight(source, () => 2),
      durablePosition: 2 as Position,
      async *subscribe(options) {
        try {
          yield* source.subscribe(options);
        } finally {
          left = true;
        }
      },
    };
    const batches = new SourceFeed(watched).open({ from: undefined, batchEvents: 1, signal });
    for await (const { events } of batches) if (events.length > 0) break;
    await new Promise(setImmediate);
    expect(left).toBe(true);
  });

  it('refuses a cursor that the log no longer holds anything after', async () => {
    const source = new MemoryEventSource();
    source.commit([{}]);
    source.commit([{}]);
    source.commit([{}]);
    const gone: EventSource = {
      ...withSight(source, () => 3),
      durablePosition: 3 as Position,
      firstPosition: 3 as Position,
      timelineAt: (position) => (position < 3 ? undefined : source.timelineAt(position)),
    };
    const from = new SourceFeed(source).cursorAt(1 as Position);
    const batches = new SourceFeed(gone).open({ from, signal });
    await expect(batches[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'FEED_COMPACTED',
    });
  });

  it.each([
    ['that the log remembers', 'own', undefined],
    ['that the log remembers to have been of another history', 'other', 'FEED_DIVERGED'],
    ['of which the log does not know the history', undefined, 'FEED_COMPACTED'],
  ])('stands right before the log at a place %s', async (_place, remembered, code) => {
    const source = new MemoryEventSource();
    source.commit([{}]);
    source.commit([{}]);
    const from = new SourceFeed(source).cursorAt(1 as Position);
    const begun: EventSource = {
      ...withSight(source, () => 2),
      durablePosition: 2 as Position,
      firstPosition: 2 as Position,
      timelineAt: (position) =>
        position === 1
          ? remembered && (remembered === 'own' ? from.timeline : remembered)
          : source.timelineAt(position),
    };
    const first = new SourceFeed(begun).open({ from, signal })[Symbol.asyncIterator]().next();
    if (code === undefined)
      expect((await first).value).toMatchObject({ events: [{ position: 2 }] });
    else await expect(first).rejects.toMatchObject({ code });
  });

  it('refuses a consumer that needs everything when the log has lost its beginning, and keeps nothing for it', async () => {
    const source = new MemoryEventSource();
    source.commit([{}]);
    source.commit([{}]);
    const consumers = new FeedConsumers();
    const begun: EventSource = {
      ...withSight(source, () => 2),
      durablePosition: 2 as Position,
      firstPosition: 2 as Position,
    };
    const feed = new SourceFeed(begun, { consumers });
    const whole = { from: undefined, whole: true, keepsFloor: true, signal };
    const refused = feed.open(whole)[Symbol.asyncIterator]().next();
    expect(consumers.list()).toMatchObject([{ keepsFloor: false }]);
    await expect(refused).rejects.toMatchObject({
      code: 'FEED_COMPACTED',
      details: { position: 0, firstPosition: 2 },
    });
    const partial = feed.open({ from: undefined, signal })[Symbol.asyncIterator]();
    expect((await partial.next()).done).toBe(false);
  });

  it('names the timeline of where each batch ends', async () => {
    const source = new MemoryEventSource();
    source.commit([{}]);
    source.restart();
    source.commit([{}]);
    const cursors: FeedBatch['cursor'][] = [];
    for await (const { cursor } of new SourceFeed(source).open({
      from: undefined,
      batchEvents: 1,
      signal,
    }))
      if (cursors.push(cursor) === 2) break;
    const [first, second] = cursors.map(({ timeline }) => timeline);
    expect([first, second]).toEqual([1, 2].map((at) => source.timelineAt(at as Position)));
    expect(first).not.toBe(second);
  });

  it('tells progress early when very many positions are left out', async () => {
    const source = new MemoryEventSource();
    source.commit(Array.from({ length: 3 * PROGRESS_POSITIONS }, () => ({ type: 'other' })));
    for (let commit = 0; commit < 3; commit += 1)
      source.commit(Array.from({ length: PROGRESS_POSITIONS }, () => ({ type: 'other' })));
    const told: number[] = [];
    const filter = { types: ['wanted'] };
    for await (const { cursor } of new SourceFeed(source).open({ from: undefined, filter, signal }))
      if (told.push(cursor.position) === 4) break;
    expect(told).toEqual([3, 4, 5, 6].map((times) => times * PROGRESS_POSITIONS));
  });

  it('tells the last progress soon, though nothing follows it', async () => {
    const source = new MemoryEventSource();
    const feed = new SourceFeed(source, { heartbeatMillis: 60_000 });
    const batches = feed.open({ from: undefined, filter: { types: ['wanted'] }, signal });
    const iterator = batches[Symbol.asyncIterator]();
    const told: number[] = [];
    for (const positions of [1, 2]) {
      for (let commit = 0; commit < positions; commit += 1) source.commit([{ type: 'other' }]);
      const next = await iterator.next();
      told.push((next.value as FeedBatch).cursor.position);
    }
    while (told.at(-1)! < 3)
      told.push(((await iterator.next()).value as FeedBatch).cursor.position);
    expect(told.at(-1)).toBe(3);
    await iterator.return?.();
  });

  it('asks the source for no more than its consumer takes', async () => {
    const source = new MemoryEventSource();
    for (let commit = 0; commit < 1_000; commit += 1) source.commit([{}]);
    const batches = new SourceFeed(source).open({ from: undefined, batchEvents: 10, signal });
    const iterator = batches[Symbol.asyncIterator]();
    for (let taken = 0; taken < 3; taken += 1) await iterator.next();
    await sleep(20);
    expect(source.read).toBeLessThanOrEqual(40);
    await iterator.return?.();
  });

  it('is unavailable once its log was closed', async () => {
    const source = new MemoryEventSource();
    const ended: EventSource = {
      ...withSight(source, () => 0),
      subscribe: () => source.readAll(),
    };
    const batches = new SourceFeed(ended).open({ from: undefined, signal })[Symbol.asyncIterator]();
    expect((await batches.next()).value).toMatchObject({ events: [], head: 0 });
    await expect(batches.next()).rejects.toMatchObject({
      code: 'FEED_UNAVAILABLE',
    });
  });

  it('ends its subscriptions when it is closed, and lists nobody any more', async () => {
    const consumers = new FeedConsumers();
    const feed = new SourceFeed(new MemoryEventSource(), { consumers });
    const batches = feed.open({ from: undefined, consumer: 'one', signal })[Symbol.asyncIterator]();
    await batches.next();
    const next = batches.next();
    expect(consumers.list()).toMatchObject([{ consumer: 'one', peer: 'local' }]);
    await feed.close();
    expect(await next).toEqual({ done: true, value: undefined });
    expect(consumers.list()).toEqual([]);
  });
});

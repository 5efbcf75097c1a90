import type { Position } from '@holdfast/event-store';
import { CodedError } from '@holdfast/kernel';
import { runs } from '@holdfast/kernel/testing';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import SqliteDatabase from 'better-sqlite3';
import fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DirectoryFeed } from '../feed/directory-feed.js';
import type { EventFeed, FeedOptions } from '../event-feed.js';
import type { ConsumerReport } from '../feed/feed-consumers.js';
import { ProjectionRunner, type ProjectionRunnerOptions } from './projection-runner.js';
import type { ProjectionState } from './projection-status.js';
import type { SqlProjection } from '../projection.js';
import type { ReadModelStore } from '../read-model-store.js';
import { rebuildProjection } from './rebuild-projection.js';
import { SwitchOver } from '../store/generations/switch-over.js';
import { SqliteReadModel } from '../store/sqlite/sqlite-read-model.js';
import { SqliteReadModelStore } from '../store/sqlite/sqlite-read-model-store.js';
import type { SqliteTransaction } from '../store/sqlite/sqlite-transaction.js';
import { eventually } from '../testing/eventually.js';
import { LogUnderTest, type TestEvent } from '../testing/log-under-test.js';
import type { TallyRow } from '../testing/read-model.contract.js';
import { tally } from '../testing/tally.js';

type Options = Partial<ProjectionRunnerOptions<SqliteTransaction>> & {
  readonly projection?: SqlProjection<SqliteTransaction>;
};

/** A runner at work, with what it takes to end it. */
interface Running {
  readonly runner: ProjectionRunner<SqliteTransaction>;
  readonly store: SqliteReadModelStore;
  readonly states: ProjectionState[];
  /** Resolves or rejects as `run` does. */
  readonly done: Promise<void>;
  readonly stop: () => Promise<void>;
}

describe('a projection runner', () => {
  let log: LogUnderTest;
  let feed: DirectoryFeed;
  let running: Running[];
  let model: SqliteReadModel;

  beforeEach(async () => {
    log = await LogUnderTest.create();
    feed = new DirectoryFeed(log.directory, { heartbeatMillis: 100 });
    running = [];
    model = openModel();
  });

  afterEach(async () => {
    for (const each of running) await each.stop().catch(() => undefined);
    model.close();
    await feed.close();
    await log.dispose();
  });

  const directory = () => join(log.directory, '..', 'read-models');
  const openModel = (version = 1) =>
    SqliteReadModel.open({ directory: directory(), projection: { name: 'tally', version } });

  const start = ({ projection = tally(), ...options }: Options = {}): Running => {
    const store = SqliteReadModelStore.open({ directory: directory(), projection });
    const states: ProjectionState[] = [];
    const runner = new ProjectionRunner({
      feed,
      store,
      onState: ({ state }) => states.push(state),
      ...options,
    });
    const leaving = new AbortController();
    const done = runner.run(leaving.signal);
    const ended = done.finally(() => store.close());
    ended.catch(() => undefined);
    const stop = () => {
      leaving.abort();
      return ended;
    };
    running.push({ runner, store, states, done, stop });
    return running.at(-1)!;
  };

  const counted = (index: number): TestEvent => ({
    type: 'counted',
    stream: `stream-${index % 7}`,
    data: { amount: index },
  });

  const rows = () =>
    model.read((now) => now.prepare<[], TallyRow>('SELECT * FROM tally ORDER BY stream').all());
  const sums = () => {
    const all = rows();
    return [
      all.reduce((sum, { events }) => sum + events, 0),
      all.reduce((sum, { total }) => sum + total, 0),
    ];
  };

  it('applies what the projection handles, passes over the rest, and is live', async () => {
    await log.append(counted(1), { type: 'other' }, counted(2));
    await log.append({ type: 'other' }, { type: 'other' });
    const { runner, states } = start();
    expect(await runner.waitFor(5 as Position, 5_000)).toBe(true);
    expect(sums()).toEqual([2, 3]);
    expect(runner.status).toMatchObject({
      name: 'tally',
      version: 1,
      state: 'live',
      generation: 1,
      position: 5,
      head: 5,
      lagEvents: 0,
      lagSeconds: 0,
      appliedEvents: 2,
      attempts: 0,
      lastError: undefined,
    });
    expect(states).toEqual(['live']);
    await log.append(counted(10));
    expect(await runner.waitFor(6 as Position, 5_000)).toBe(true);
    expect(sums()).toEqual([3, 13]);
    await log.append({ type: 'other' });
    expect(await runner.waitFor(7 as Position, 5_000)).toBe(true);
    expect(model.position).toBe(7);
  });

  it('goes on where it was, each event exactly once, however often it is stopped', async () => {
    const appending = log.appendMany(20_000, counted);
    for (let stops = 0; stops < 12; stops += 1) {
      const { stop } = start({ batchEvents: 100 });
      await sleep(15 + stops * 5);
      await stop();
    }
    const last = await appending;
    const { runner } = start();
    expect(await runner.waitFor(last, 20_000)).toBe(true);
    expect(sums()).toEqual([20_000, (20_000 * 19_999) / 2]);
  });

  it('lets a second runner wait, which takes over when the first one ends', async () => {
    await log.appendMany(100, counted);
    const first = start();
    await first.runner.waitFor(100 as Position, 5_000);
    const second = start();
    await log.appendMany(100, counted);
    await first.runner.waitFor(200 as Position, 5_000);
    expect(second.runner.status).toMatchObject({ state: 'waiting-for-lease', appliedEvents: 0 });
    await first.stop();
    await log.appendMany(100, counted);
    expect(await second.runner.waitFor(300 as Position, 5_000)).toBe(true);
    expect(sums()[0]).toBe(300);
    expect(second.runner.status.appliedEvents).toBe(100);
  });

  it('applies nothing while it is paused, over restarts too, tells the lag there is, and goes on when it is resumed', async () => {
    await log.append(counted(1));
    const first = start();
    expect(await first.runner.waitFor(1 as Position, 5_000)).toBe(true);
    await first.store.setPaused(true);
    await eventually(() => expect(first.runner.status.state).toBe('paused'));
    await first.stop();
    await log.append(counted(2));
    const second = start();
    await eventually(() =>
      expect(second.runner.status).toMatchObject({ state: 'paused', position: 1, lagEvents: 1 }),
    );
    expect(sums()).toEqual([1, 1]);
    await second.store.setPaused(false);
    expect(await second.runner.waitFor(2 as Position, 5_000)).toBe(true);
    expect([sums(), second.runner.status.lastError]).toEqual([[2, 3], undefined]);
  });

  it('tries again when the feed is out of reach, and says so meanwhile', async () => {
    await log.append(counted(1));
    const flaky = new FlakyFeed(feed);
    flaky.failures = 3;
    const { runner, states } = start({ feed: flaky });
    expect(await runner.waitFor(1 as Position, 5_000)).toBe(true);
    expect(states).toEqual(['feed-unavailable', 'live']);
    expect(runner.status.lastError).toMatchObject({ code: 'FEED_UNAVAILABLE' });
    flaky.failures = 1;
    flaky.breakNow();
    await log.append(counted(2));
    expect(await runner.waitFor(2 as Position, 5_000)).toBe(true);
    expect(sums()).toEqual([2, 3]);
  });

  it('stops, loudly, when the log is another one than it has followed', async () => {
    await log.append(counted(1));
    const before = start();
    await before.runner.waitFor(1 as Position, 5_000);
    await before.stop();
    const other = await LogUnderTest.create();
    await other.append(counted(1));
    const otherFeed = new DirectoryFeed(other.directory);
    const { done, runner } = start({ feed: otherFeed });
    await expect(done).rejects.toMatchObject({ code: 'FEED_DIVERGED' });
    expect(runner.status).toMatchObject({
      state: 'failed',
      lastError: { code: 'FEED_DIVERGED' },
    });
    expect(runner.failure).toMatchObject({ code: 'FEED_DIVERGED' });
    // Somebody has mixed up two installations: what stands there is kept, and not shown.
    expect(rows).toThrow(expect.objectContaining({ code: 'READ_MODEL_NOT_READY' }));
    await otherFeed.close();
    await other.dispose();
    const again = start();
    await eventually(() => expect(sums()).toEqual([1, 1]));
    expect(again.runner.status).toMatchObject({ generation: 1, state: 'live' });
  });

  describe('on a log that was restored to an earlier place', () => {
    beforeEach(async () => {
      await log.appendMany(10, counted);
      await log.stop();
      await log.backUp();
      await log.start();
      await log.appendMany(10, counted);
      const before = start();
      await before.runner.waitFor(20 as Position, 5_000);
      await before.stop();
      await log.stop();
      await log.restore();
      await log.start();
    });

    it('makes the read model anew, and lets no query see what is no more', async () => {
      const { runner, states } = start();
      await eventually(() => expect(runner.status.generation).toBe(2));
      expect(await runner.waitFor(10 as Position, 10_000)).toBe(true);
      await eventually(() => expect(sums()).toEqual([10, 45]));
      expect(states).toEqual(['diverged', 'live']);
      expect(model.position).toBe(10);
      expect(runner.status.lastError).toMatchObject({ code: 'FEED_DIVERGED' });
    });

    it('lets a new version take over from tables of the history that is no more, whose worker is gone, and refuses them', async () => {
      const { runner } = start({ projection: tally(2) });
      const second = openModel(2);
      await eventually(() => expect([second.ready, model.ready]).toEqual([true, false]));
      expect([second.position, runner.status.state]).toEqual([10, 'live']);
      expect(sums).toThrow('a history that the log no longer has');
      second.close();
    });

    it('lets a new version wait for as long as the log does not tell, which is until its service opens it', async () => {
      const one = start();
      await eventually(() => expect(model.position).toBe(10));
      await log.backUp();
      await log.appendMany(10, counted);
      await one.runner.waitFor(20 as Position, 5_000);
      await one.stop();
      await log.stop();
      await log.restore();
      const { runner } = start({ projection: tally(2) });
      const promote = jest.spyOn(SwitchOver.prototype, 'run');
      await until(() => runner.status.position === 10 && promote.mock.calls.length > 1);
      promote.mockRestore();
      const second = openModel(2);
      expect([second.ready, model.position]).toEqual([false, 20]);
      await log.start();
      await eventually(() => expect(second.position).toBe(10));
      second.close();
    });

    it('ends when it is told to refuse, and the reason stays where queries find it', async () => {
      const { done } = start({ divergence: 'refuse' });
      await expect(done).rejects.toMatchObject({ code: 'FEED_DIVERGED' });
      const another = openModel();
      expect(() => another.read(() => undefined)).toThrow(/not the one that position 20 was read/);
      another.close();
    });

    it('does so also under a worker that goes on through the restore', async () => {
      const { runner } = start();
      await eventually(() => expect(runner.status.generation).toBe(2));
      await log.append(counted(1));
      await runner.waitFor(11 as Position, 10_000);
      await log.stop();
      await log.restore();
      await log.start();
      await eventually(() => expect(runner.status.generation).toBe(3));
      await eventually(() => expect(sums()).toEqual([10, 45]));
    });
  });

  it('shows queries nothing of the first tables until they have caught up once, over restarts too', async () => {
    await log.appendMany(3_000, counted);
    const leaving = new AbortController();
    const seen = new Set<boolean>();
    const watched = new StoppingFeed(feed, 1_000, leaving);
    const store = SqliteReadModelStore.open({ directory: directory(), projection: tally() });
    const onState = () => seen.add(model.ready);
    const first = new ProjectionRunner({ feed: watched, store, onState, batchEvents: 100 });
    await first.run(leaving.signal);
    await store.close();
    expect([first.status.position >= 1_000, model.ready, [...seen]]).toEqual([
      true,
      false,
      [false],
    ]);
    expect(rows).toThrow(/is being filled and stands at position \d{4}/);
    const { runner } = start();
    await runner.waitFor(3_000 as Position, 10_000);
    await eventually(() => expect(sums()[0]).toBe(3_000));
  });

  it('shows queries an empty ledger as soon as it knows that the log is empty', async () => {
    start();
    await eventually(() => expect(model.ready).toBe(true));
    expect([rows(), model.position]).toEqual([[], 0]);
  });

  it('stops when asked to while it waits for events', async () => {
    const { runner, stop, states } = start();
    await sleep(50);
    await stop();
    expect([runner.status.state, runner.failure]).toEqual(['stopped', undefined]);
    expect(states.at(-1)).toBe('stopped');
  });

  it('wakes those who wait for a position when it ends', async () => {
    const { runner, stop } = start();
    const waiting = runner.waitFor(1_000 as Position, 60_000);
    await sleep(50);
    await stop();
    expect(await waiting).toBe(false);
  });

  describe('with an event that it cannot apply', () => {
    const mended = tally();
    const appendPoison = async () => {
      await log.appendMany(50, counted);
      const before = start();
      await before.runner.waitFor(50 as Position, 5_000);
      await before.stop();
      await log.append(
        counted(1),
        { ...counted(2), data: { amount: 1, poison: true } },
        counted(3),
      );
      await log.appendMany(50, counted);
    };
    /** Counts the poisoned event like any other. */
    const tolerant = (): SqlProjection<SqliteTransaction> => ({
      ...mended,
      apply: (events, transaction) =>
        mended.apply(
          events.map((event) => ({ ...event, data: { ...event.data, poison: false } })),
          transaction,
        ),
    });

    it('applies everything before it, and then stops, naming the commit', async () => {
      await appendPoison();
      const { done, runner } = start();
      await expect(done).rejects.toMatchObject({
        code: 'PROJECTION_FAILED',
        message: expect.stringContaining('poison at position 52'),
        details: { projection: 'tally', firstPosition: 51, lastPosition: 53, attempts: 1 },
      });
      expect(runner.status).toMatchObject({ state: 'failed', position: 50, attempts: 1 });
      expect(sums()).toEqual([50, (50 * 49) / 2]);
    });

    it('goes on from there once the projection can apply it', async () => {
      await appendPoison();
      await start().done.catch(() => undefined);
      const { runner } = start({ projection: tolerant() });
      expect(await runner.waitFor(103 as Position, 5_000)).toBe(true);
      expect(sums()).toEqual([103, 50 * 49 + 1 + 1 + 3]);
      expect(runner.status.attempts).toBe(0);
    });

    it('tries again as often as the policy says, over restarts too', async () => {
      await appendPoison();
      const badEvents = { kind: 'retry', attempts: 4 } as const;
      const first = start({ badEvents });
      while (first.runner.status.attempts < 2) await sleep(5);
      expect(first.states).toContain('retrying');
      await first.stop();
      const second = start({ badEvents });
      await expect(second.done).rejects.toMatchObject({ details: { attempts: 4 } });
    });

    it('goes on when a failure cannot be counted for now', async () => {
      await appendPoison();
      const store = SqliteReadModelStore.open({ directory: directory(), projection: tally() });
      let uncounted = 2;
      const failing: ReadModelStore<SqliteTransaction> = {
        projection: store.projection,
        quarantine: store.quarantine,
        digest: () => store.digest(),
        generations: () => store.generations(),
        drop: (generation) => store.drop(generation),
        paused: () => store.paused(),
        setPaused: (paused) => store.setPaused(paused),
        close: () => store.close(),
        acquire: async (options) => {
          const lease = await store.acquire(options);
          if (lease === undefined) return undefined;
          const recordFailure = lease.recordFailure.bind(lease);
          lease.recordFailure = (error) =>
            --uncounted >= 0
              ? Promise.reject(new CodedError('READ_MODEL_UNAVAILABLE', 'the disk is full'))
              : recordFailure(error);
          return lease;
        },
      };
      const { done, states } = start({ store: failing });
      await expect(done).rejects.toMatchObject({
        code: 'PROJECTION_FAILED',
        details: { firstPosition: 51, attempts: 1 },
      });
      expect(states).toContain('store-unavailable');
      expect(uncounted).toBe(-1);
      await store.close();
    });

    it('gets over a failure that passes', async () => {
      let failures = 2;
      const projection: SqlProjection<SqliteTransaction> = {
        ...tally(),
        apply: (events, transaction) => {
          failures -= 1;
          if (failures >= 0) throw new Error('for now');
          return tally().apply(events, transaction);
        },
      };
      await log.append(counted(1));
      const { runner } = start({ projection, badEvents: { kind: 'retry', attempts: 5 } });
      expect(await runner.waitFor(1 as Position, 5_000)).toBe(true);
      expect(sums()).toEqual([1, 1]);
      expect(runner.status).toMatchObject({
        state: 'live',
        attempts: 0,
        lastError: { code: 'PROJECTION_FAILED' },
      });
    });
  });

  describe('rebuilding', () => {
    const rebuild = (signal = new AbortController().signal, using: EventFeed = feed) => {
      const store = SqliteReadModelStore.open({ directory: directory(), projection: tally() });
      const progress: number[] = [];
      const onProgress = ({ position }: { position: number }) => progress.push(position);
      return rebuildProjection({ feed: using, store, onProgress, signal })
        .then((switched) => ({ switched, progress }))
        .finally(() => store.close());
    };

    it('makes the same rows while commands and queries go on, and the live worker follows over', async () => {
      await log.appendMany(5_000, counted);
      const { runner, store } = start();
      await runner.waitFor(5_000 as Position, 10_000);
      let highest = 0;
      const watching = setInterval(() => {
        // A query never sees an earlier moment than the one before it.
        expect(model.position).toBeGreaterThanOrEqual(highest);
        highest = model.position;
      }, 1);
      const appending = log.appendMany(5_000, counted);
      const { switched, progress } = await rebuild();
      const last = await appending;
      expect(switched).toBe(true);
      expect(await runner.waitFor(last, 10_000)).toBe(true);
      clearInterval(watching);
      expect(sums()).toEqual([10_000, 5_000 * 4_999]);
      expect(runner.status).toMatchObject({ generation: 2, state: 'live' });
      expect(progress.at(-1)).toBeGreaterThanOrEqual(5_000);
      const incremental = await store.digest();
      await rebuild();
      expect(await store.digest()).toEqual(incremental);
    });

    it('leaves no subscription behind: the one that a rebuild fenced lets go of the log, and reports no more', async () => {
      await log.appendMany(10, counted);
      const heard = new Map<string, ConsumerReport>();
      const report = (told: ConsumerReport) => void heard.set(told.reporter, told);
      const reporting = new DirectoryFeed(log.directory, { heartbeatMillis: 20, report });
      const { runner } = start({ feed: reporting });
      await runner.waitFor(10 as Position, 5_000);
      await rebuild();
      await log.append(counted(1));
      expect(await runner.waitFor(11 as Position, 10_000)).toBe(true);
      const [fenced, following] = [...heard.values()];
      expect([heard.size, fenced?.ended, following?.ended]).toEqual([2, true, false]);
      await reporting.close();
    });

    it('goes on where it was after it was stopped half-way', async () => {
      await log.appendMany(3_000, counted);
      const live = start();
      await live.runner.waitFor(3_000 as Position, 10_000);
      const leaving = new AbortController();
      const stopping = new StoppingFeed(feed, 1_000, leaving);
      expect((await rebuild(leaving.signal, stopping)).switched).toBe(false);
      expect(live.runner.status.generation).toBe(1);
      const counting = new StoppingFeed(feed, Infinity, leaving);
      expect((await rebuild(undefined, counting)).switched).toBe(true);
      expect(counting.firstFrom?.position).toBeGreaterThan(0);
      expect(sums()).toEqual([3_000, (3_000 * 2_999) / 2]);
    });

    it('leaves the live tables as they are when the projection refuses an event', async () => {
      await log.append(counted(5));
      const live = start();
      await live.runner.waitFor(1 as Position, 5_000);
      await live.stop();
      await log.append({ ...counted(6), data: { poison: true } });
      await expect(rebuild()).rejects.toMatchObject({ code: 'PROJECTION_FAILED' });
      expect(sums()).toEqual([1, 5]);
    });

    it('is the way out when the log was replaced', async () => {
      await log.appendMany(10, counted);
      const before = start();
      await before.runner.waitFor(10 as Position, 5_000);
      await before.stop();
      const other = await LogUnderTest.create();
      await other.append(counted(42));
      const otherFeed = new DirectoryFeed(other.directory);
      expect((await rebuild(undefined, otherFeed)).switched).toBe(true);
      expect(sums()).toEqual([1, 42]);
      await otherFeed.close();
      await other.dispose();
    });

    it('fills a new version by itself, and queries of that version see it when it is complete', async () => {
      await log.appendMany(2_000, counted);
      const one = start();
      await one.runner.waitFor(2_000 as Position, 10_000);
      await one.stop();
      const two = start({ projection: tally(2) });
      expect(await two.runner.waitFor(2_000 as Position, 10_000)).toBe(true);
      const second = openModel(2);
      expect(second.position).toBe(2_000);
      second.close();
      await log.append(counted(1));
      expect(await two.runner.waitFor(2_001 as Position, 5_000)).toBe(true);
      expect(model.position).toBe(2_000);
      await start().runner.waitFor(2_001 as Position, 5_000);
      expect([model.position, two.runner.status.state]).toEqual([2_001, 'live']);
    });
  });

  describe('with a read model that cannot be written', () => {
    it('waits for a volume that is not there, tells the lag there is, and goes on by itself', async () => {
      await log.appendMany(30, counted);
      // A file in the place of the folder: as final as a volume that is read-only, for any user.
      await writeFile(directory(), '');
      const { runner } = start();
      await until(() => runner.status.state === 'store-unavailable');
      await until(() => runner.status.lagEvents === 30);
      expect(runner.status.lastError).toMatchObject({ code: 'READ_MODEL_UNAVAILABLE' });
      expect(runner.failure).toBeUndefined();
      await rm(directory());
      expect(await runner.waitFor(30 as Position, 10_000)).toBe(true);
    });

    it('does not take a foreign lock for a worker at work, and goes on once it is gone', async () => {
      await log.appendMany(10, counted);
      const before = start();
      await before.runner.waitFor(10 as Position, 5_000);
      await before.stop();
      const foreign = new SqliteDatabase(join(directory(), 'tally', 'generation-000001.sqlite'));
      foreign.exec('BEGIN IMMEDIATE');
      await log.appendMany(20, counted);
      const options = { directory: directory(), projection: tally(), leaseMillis: 50 };
      const { runner, states } = start({ store: SqliteReadModelStore.open(options) });
      await until(() => runner.status.state === 'store-unavailable');
      expect(runner.status.lastError?.message).toContain('another program keeps it locked');
      await until(() => runner.status.head === 30);
      foreign.exec('COMMIT');
      foreign.close();
      expect(await runner.waitFor(30 as Position, 10_000)).toBe(true);
      expect(states).not.toContain('waiting-for-lease');
    });
  });

  it('tells as a spare where the worker stands that it waits for, and how far the log has come', async () => {
    await log.appendMany(10, counted);
    const first = start();
    await first.runner.waitFor(10 as Position, 5_000);
    const spare = start();
    await until(() => spare.runner.status.head === 10);
    expect(spare.runner.status).toMatchObject({
      state: 'waiting-for-lease',
      position: 10,
      lagEvents: 0,
    });
    expect(spare.runner.status.stillMillis).toBeLessThan(first.runner.status.stillMillis + 60_000);
  });

  it('starts anew when its files are removed under it', async () => {
    await log.appendMany(100, counted);
    const { runner } = start();
    await runner.waitFor(100 as Position, 5_000);
    await rm(directory(), { recursive: true });
    await until(() => runner.status.lastError?.code === 'READ_MODEL_UNAVAILABLE');
    const fresh = openModel();
    await until(() => fresh.position === 100);
    fresh.close();
  });

  it('has every event once after any sequence of appends, stops, crashes of the feed and rebuilds', async () => {
    const step = fc.oneof(
      fc.record({ append: fc.integer({ min: 1, max: 200 }) }),
      fc.constant('restart' as const),
      fc.constant('break' as const),
      fc.constant('rebuild' as const),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        await rm(directory(), { recursive: true, force: true });
        const flaky = new FlakyFeed(feed);
        let worker = start({ feed: flaky, batchEvents: 50 });
        for (const each of steps)
          if (each === 'restart') {
            await worker.stop();
            worker = start({ feed: flaky, batchEvents: 50 });
          } else if (each === 'break') flaky.breakNow();
          else if (each === 'rebuild') {
            const { signal } = new AbortController();
            await rebuildProjection({ feed, store: worker.store, signal });
          } else await log.appendMany(each.append, counted);
        const { lastPosition } = log.log;
        expect(await worker.runner.waitFor(lastPosition, 20_000)).toBe(true);
        const fresh = openModel();
        await until(() => fresh.ready);
        const seen = fresh.read((now) =>
          now
            .prepare<[], { events: number }>('SELECT coalesce(sum(events), 0) AS events FROM tally')
            .get(),
        );
        fresh.close();
        expect(seen!.events).toBe(lastPosition);
        await worker.stop();
      }),
      { numRuns: runs({ short: 4, long: 12 }) },
    );
  });
});

/** A feed whose source goes away when told to. */
class FlakyFeed implements EventFeed {
  failures = 0;
  private breaking = new AbortController();

  constructor(private readonly inner: EventFeed) {}

  breakNow(): void {
    this.breaking.abort();
    this.breaking = new AbortController();
  }

  open(options: FeedOptions) {
    const { signal } = this.breaking;
    const subscription = this.inner.open({
      ...options,
      signal: AbortSignal.any([options.signal, signal]),
    });
    const unavailable = () => new CodedError('FEED_UNAVAILABLE', `gone ${randomUUID()}`);
    const fails = this.failures > 0;
    this.failures -= 1;
    return {
      applied: (position: Position) => subscription.applied(position),
      async *[Symbol.asyncIterator]() {
        if (fails) throw unavailable();
        yield* subscription;
        if (signal.aborted) throw unavailable();
      },
    };
  }

  close() {
    return this.inner.close();
  }
}

/** A feed that has its consumer stop once it has come so far. */
class StoppingFeed implements EventFeed {
  firstFrom: FeedOptions['from'];

  constructor(
    private readonly inner: EventFeed,
    private readonly at: number,
    private readonly leaving: AbortController,
  ) {}

  open(options: FeedOptions) {
    this.firstFrom ??= options.from;
    const subscription = this.inner.open({ ...options, batchEvents: 100 });
    const { at, leaving } = this;
    return {
      applied: (position: Position) => {
        if (position >= at) leaving.abort();
      },
      [Symbol.asyncIterator]: () => subscription[Symbol.asyncIterator](),
    };
  }

  close() {
    return this.inner.close();
  }
}

const until = (condition: () => boolean) => eventually(() => expect(condition()).toBe(true));

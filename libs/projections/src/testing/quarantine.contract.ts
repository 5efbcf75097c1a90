import type { Position, RecordedEvent } from '@holdfast/event-store';
import { runs } from '@holdfast/kernel/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FeedCursor } from '../event-feed.js';
import { SourceFeed } from '../feed/source-feed.js';
import type { SqlProjection } from '../projection.js';
import type { QuarantinedCommit } from '../quarantined-commit.js';
import type { ReadModelStore } from '../read-model-store.js';
import {
  type BadEventPolicy,
  ProjectionRunner,
  type ProjectionRunnerOptions,
} from '../runner/projection-runner.js';
import { type MemoryEvent, MemoryEventSource } from './memory-event-source.js';
import { type ReadModelUnderTest, type TallyRow } from './read-model.contract.js';

const ONCE: BadEventPolicy = { kind: 'quarantine', attempts: 1 };

interface Running {
  readonly runner: ProjectionRunner<unknown>;
  readonly done: Promise<void>;
  readonly stop: () => Promise<void>;
}

/** What the quarantine of every `ReadModelStore` promises, with the runner that uses it. */
export function describeQuarantine<Transaction>(
  name: string,
  create: () => Promise<ReadModelUnderTest<Transaction>>,
): void {
  describe(`quarantine contract: ${name}`, () => {
    let subject: ReadModelUnderTest<Transaction>;
    let source: MemoryEventSource;
    let running: Running[];
    let stores: ReadModelStore<Transaction>[];
    let looking: ReadModelStore<Transaction> | undefined;

    const begin = async () => {
      subject = await create();
      source = new MemoryEventSource();
      running = [];
      stores = [];
      looking = undefined;
    };
    const end = async () => {
      for (const { stop } of running) await stop().catch(() => undefined);
      for (const store of stores) await store.close();
      await subject.dispose();
    };
    beforeEach(begin);
    afterEach(end);

    const open = (projection = subject.tally()) => {
      const store = subject.open(projection);
      stores.push(store);
      return store;
    };

    const start = (
      options: Partial<ProjectionRunnerOptions<Transaction>> = {},
      projection = subject.tally(),
    ): Running => {
      const feed = new SourceFeed(source, { heartbeatMillis: 5 });
      const runner = new ProjectionRunner<Transaction>({
        ...{ feed, store: open(projection), badEvents: ONCE },
        ...options,
      });
      const leaving = new AbortController();
      const done = runner.run(leaving.signal);
      done.catch(() => undefined);
      const stop = () => {
        leaving.abort();
        return done;
      };
      const started: Running = { runner: runner, done, stop };
      running.push(started);
      return started;
    };

    /** An operator's, in another process. */
    const looker = () => (looking ??= open());

    const caughtUp = async ({ runner }: Running) =>
      expect(await runner.waitFor(source.durablePosition, 10_000)).toBe(true);

    /** The same projection without its fault. */
    const mended = (): SqlProjection<Transaction> => {
      const faulty = subject.tally();
      return {
        ...faulty,
        apply: (events, transaction) => faulty.apply(events.map(withoutPoison), transaction),
      };
    };

    const waiting = async (): Promise<readonly QuarantinedCommit[]> => {
      const all = await looker().quarantine.list();
      return all.flatMap(({ commits }) => commits).filter(({ skipped }) => !skipped);
    };
    const positions = async () => (await waiting()).map(({ position }) => position);
    const streams = async () => (await subject.rows())?.map(({ stream }) => stream);

    it('sets a commit aside whole, with all that touches what it touches, and goes on', async () => {
      source.commit([on('a'), on('b', { poison: true })]);
      source.commit([on('c')]);
      source.commit([on('a'), on('d')]);
      source.commit([on('d')]);
      source.commit([on('e')]);
      const started = start();
      await caughtUp(started);
      expect(await streams()).toEqual(['c', 'e']);
      expect(await waiting()).toMatchObject([
        { position: 1, events: 2, keys: ['a', 'b'], attempts: 1, error: 'poison at position 2' },
        { position: 4, events: 2, keys: ['a', 'd'], attempts: 0, error: undefined },
        { position: 6, events: 1, keys: ['d'], attempts: 0 },
      ]);
      expect(started.runner.status).toMatchObject({ state: 'live', quarantinedEvents: 5 });
      const store = looker();
      expect(await store.generations()).toMatchObject([{ quarantinedEvents: 5 }]);
      expect(await store.quarantine.contentOf(1, 1 as Position)).toMatchObject([
        { position: 1, stream: 'a', data: { amount: 1 } },
        { position: 2, stream: 'b', data: { amount: 1, poison: true } },
      ]);
    });

    it('counts the attempts before, over processes that die between them', async () => {
      source.commit([on('a', { poison: true })]);
      const badEvents = { kind: 'quarantine', attempts: 3 } as const;
      const first = start({ badEvents });
      await until(() => first.runner.status.attempts >= 1);
      await first.stop();
      await caughtUp(start({ badEvents }));
      expect(await waiting()).toMatchObject([{ attempts: 3 }]);
    });

    it('has other names wait that the projection says an event touches', async () => {
      const touching: SqlProjection<Transaction> = {
        ...subject.tally(),
        touches: ({ data }) => (data['touches'] as string[] | undefined) ?? [],
      };
      source.commit([on('a', { poison: true, touches: ['account 7'] })]);
      source.commit([on('b', { touches: ['account 8'] })]);
      source.commit([on('c', { touches: ['account 7'] })]);
      await caughtUp(start({}, touching));
      expect([await streams(), await positions()]).toEqual([['b'], [1, 3]]);
    });

    it.each([
      ['the character zero', 'account\0 7'],
      ['a backslash and a zero', 'account\\0 7'],
      ['half of a pair', 'account \ud800'],
      ['quotes and braces', '{"account",7}'],
      ['nothing', ''],
    ])('keeps a name to the letter: %s', async (_, name) => {
      const touching = { ...subject.tally(), touches: () => [name] };
      source.commit([on('a', { poison: true })], [on('b')]);
      const first = start({}, touching);
      await caughtUp(first);
      await first.stop();
      source.commit([on('c')]);
      await caughtUp(start({}, touching));
      expect([await streams(), await positions()]).toEqual([[], [1, 2, 3]]);
      expect((await waiting()).map(({ keys }) => keys)).toEqual([
        ['a', name],
        ['b', name],
        ['c', name],
      ]);
    });

    it('goes on to have commits wait under every policy', async () => {
      source.commit([on('a', { poison: true })]);
      const first = start();
      await caughtUp(first);
      await first.stop();
      source.commit([on('a'), on('d')], [on('d')], [on('b')]);
      await caughtUp(start({ badEvents: { kind: 'stop' } }));
      expect([await streams(), await positions()]).toEqual([['b'], [1, 2, 4]]);
    });

    it('has no other commit wait for what the projection does not handle at the end of one', async () => {
      source.commit([on('a', { poison: true })]);
      const first = start();
      await caughtUp(first);
      await first.stop();
      const other: MemoryEvent = { stream: 'z', type: 'other' };
      source.commit([on('a'), other], [on('b'), other], [on('c'), other]);
      await caughtUp(start());
      expect([await streams(), await positions()]).toEqual([
        ['b', 'c'],
        [1, 2],
      ]);
    });

    it('ends the projection before more events wait than may, and loses nothing', async () => {
      source.commit([on('a', { poison: true })], [on('a')], [on('b')], [on('a')]);
      const badEvents = { kind: 'quarantine', attempts: 1, most: 2 } as const;
      const full = start({ badEvents, batchEvents: 1 });
      await expect(full.done).rejects.toMatchObject({
        code: 'PROJECTION_FAILED',
        message: expect.stringContaining(
          'the quarantine of the projection tally is full: 2 of at most 2',
        ),
        details: { position: 4, waiting: 2, eventsMax: 2 },
      });
      expect(await positions()).toEqual([1, 2]);
      await looker().quarantine.release(undefined);
      await caughtUp(start({ badEvents }, mended()));
      expect(await subject.rows()).toMatchObject([
        { stream: 'a', events: 3 },
        { stream: 'b', events: 1 },
      ]);
    });

    it('tries again what another process releases, in order; what is refused again stays, with what waits behind it', async () => {
      source.commit([on('a', { poison: true })], [on('b', { poison: true })]);
      source.commit([on('a')], [on('b')]);
      const first = start();
      await caughtUp(first);
      const { quarantine } = looker();
      expect(await quarantine.release(3 as Position)).toBe(0);
      expect(await quarantine.release(undefined)).toBe(1);
      await until(async () => (await quarantine.list())[0]!.releasesPending === 0);
      expect(await waiting()).toMatchObject([
        { position: 1, attempts: 2 },
        { position: 2, attempts: 2 },
        { position: 3, attempts: 0 },
        { position: 4, attempts: 0 },
      ]);
      await first.stop();
      // Nobody is there: the order waits for the next worker.
      await quarantine.release(2 as Position);
      const second = start({}, mended());
      await until(async () => (await positions()).length === 2);
      expect([await streams(), await positions()]).toEqual([['b'], [1, 3]]);
      expect(second.runner.status).toMatchObject({ state: 'live' });
    });

    it('passes over what is skipped with a reason, tries what waited behind it, and keeps the record', async () => {
      source.commit([on('a', { poison: true })], [on('a')]);
      await caughtUp(start());
      const { quarantine } = looker();
      expect(await quarantine.skip(2 as Position, BY)).toBe(false);
      expect(await quarantine.skip(1 as Position, BY)).toBe(true);
      await until(async () => (await positions()).length === 0);
      expect(await subject.rows()).toEqual([{ stream: 'a', events: 1, total: 1 }]);
      expect(await quarantine.skips()).toMatchObject([
        {
          ...{ ...BY, position: 1, events: 1, error: 'poison at position 1' },
          atMillis: subject.clock.nowMillis(),
          content: [{ position: 1, stream: 'a' }],
        },
      ]);
      expect((await quarantine.list())[0]!.commits).toMatchObject([{ position: 1, skipped: true }]);
      expect(await looker().generations()).toMatchObject([{ quarantinedEvents: 0 }]);
    });

    it('passes over it again in tables that are filled later, under any policy', async () => {
      source.commit([on('a', { poison: true })], [on('a')]);
      const live = start();
      await caughtUp(live);
      await looker().quarantine.skip(1 as Position, BY);
      await until(async () => (await positions()).length === 0);
      await live.stop();
      await start({ target: 'fresh', badEvents: { kind: 'stop' } }).done;
      const [list] = await looker().quarantine.list();
      expect(list).toMatchObject({
        generation: 2,
        state: 'live',
        commits: [{ position: 1, skipped: true }],
      });
      expect(await subject.rows()).toEqual([{ stream: 'a', events: 1, total: 1 }]);
    });

    it('does not switch to fresh tables that lack what the live ones have', async () => {
      source.commit([on('a', { poison: true })], [on('b')]);
      const whole = start({}, mended());
      await caughtUp(whole);
      await whole.stop();
      const rebuild = start({ target: 'fresh' });
      await expect(rebuild.done).rejects.toMatchObject({
        code: 'PROJECTION_FAILED',
        message: expect.stringContaining('generation 2: the commit at position 1 waits'),
      });
      expect(await streams()).toEqual(['a', 'b']);
    });

    it('switches to fresh tables that lack what the live ones lack', async () => {
      source.commit([on('a', { poison: true })], [on('b')]);
      const live = start();
      await caughtUp(live);
      await live.stop();
      const rebuild = start({ target: 'fresh' });
      await rebuild.done;
      expect([rebuild.runner.tookOver, await streams(), await positions()]).toEqual([
        true,
        ['b'],
        [1],
      ]);
    });

    it('keeps a commit or its rows, and never both or neither, when the process dies within a release', async () => {
      source.commit([on('a', { poison: true })], [on('a')]);
      const first = start();
      await caughtUp(first);
      await first.stop();
      const { quarantine } = looker();
      await quarantine.release(undefined);
      const seen: (readonly [number, number])[] = [];
      const look = async (crashed: ReadModelUnderTest<Transaction>) => {
        const store = crashed.open(crashed.tally());
        const [list] = await store.quarantine.list();
        const rows = await crashed.rows();
        seen.push([list!.commits.length, rows![0]?.events ?? 0]);
        expect(list!.releasesPending).toBe(1);
        await store.close();
        await crashed.dispose();
      };
      const projection: SqlProjection<Transaction> = {
        ...mended(),
        apply: async (events, transaction) => {
          await mended().apply(events, transaction);
          await look(await subject.afterCrash());
        },
      };
      await caughtUp(start({}, projection));
      await until(async () => (await positions()).length === 0);
      expect(seen).toEqual([
        [2, 0],
        [1, 1],
      ]);
      expect(await subject.rows()).toEqual([{ stream: 'a', events: 2, total: 2 }]);
    });

    it('forgets what waits in tables that are given up', async () => {
      source.commit([on('a', { poison: true })]);
      await caughtUp(start());
      await looker().drop(1);
      source.commit([on('b')]);
      await until(async () => (await looker().generations())[0]?.generation === 2);
      await until(async () => (await positions()).length === 1);
      expect(await looker().quarantine.list()).toMatchObject([{ generation: 2 }]);
    });

    it('ends with the tables of a run without a fault, applies whole commits, and each stream in its order', async () => {
      await end();
      const plans = fc.array(
        fc.record({
          streams: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'), {
            minLength: 1,
            maxLength: 3,
          }),
          poison: fc.nat(5).map((chance) => chance === 0),
          isTailLeftOut: fc.boolean(),
        }),
        { minLength: 1, maxLength: 25 },
      );
      const cuts = fc.array(fc.nat(25), { maxLength: 3 });
      await fc.assert(
        fc.asyncProperty(plans, cuts, fc.integer({ min: 1, max: 9 }), async (all, at, batch) => {
          await begin();
          const applied: number[][] = [];
          const record = (projection: SqlProjection<Transaction>) =>
            recorded(open(projection), applied);
          let from = 0;
          for (const to of [...at, all.length].sort((one, other) => one - other)) {
            for (const commit of all.slice(from, to)) source.commit(eventsOf(commit));
            from = Math.max(from, to);
            const worker = start({ store: record(subject.tally()), batchEvents: batch });
            await caughtUp(worker);
            await worker.stop();
          }
          const commits = source.commits();
          expectWhole(applied, commits);
          expect(applied.flat().sort(ascending)).toEqual(expectedBeforeRelease(commits));
          if ((await waiting()).length > 0)
            expect(await looker().quarantine.release(undefined)).toBe(1);
          const worker = start({ store: record(mended()), batchEvents: batch });
          await caughtUp(worker);
          await until(async () => (await positions()).length === 0);
          await worker.stop();
          expectWhole(applied, commits);
          for (const stream of ['a', 'b', 'c', 'd', 'e']) {
            const own = new Set(
              commits
                .flat()
                .filter((one) => one.stream === stream)
                .map(({ position }) => position as number),
            );
            const order = applied.flat().filter((position) => own.has(position));
            expect(order).toEqual([...order].sort(ascending));
          }
          expect(await subject.rows()).toEqual(tallyOf(commits));
          await end();
        }),
        { numRuns: runs({ short: 8, long: 100 }) },
      );
      await begin();
    }, 300_000);
  });
}

/** Fails by the time limit of its test. */
async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await sleep(5);
}

const BY = { by: 'an operator', reason: 'an amount that never was' };

function on(stream: string, data: Readonly<Record<string, unknown>> = {}): MemoryEvent {
  return { stream, type: 'counted', data: { amount: 1, ...data } };
}

function withoutPoison(recorded: RecordedEvent): RecordedEvent {
  return { ...recorded, data: { ...recorded.data, poison: false } };
}

function eventsOf(plan: {
  readonly streams: readonly string[];
  readonly poison: boolean;
  readonly isTailLeftOut: boolean;
}): MemoryEvent[] {
  const { streams, poison, isTailLeftOut } = plan;
  const events = streams.map((stream, index) =>
    on(stream, poison && index === streams.length - 1 ? { poison } : {}),
  );
  return isTailLeftOut ? [...events, { stream: 'z', type: 'other' }] : events;
}

/** A store that tells which positions each of its transactions has applied, once they are committed. */
function recorded<Transaction>(
  store: ReadModelStore<Transaction>,
  applied: number[][],
): ReadModelStore<Transaction> {
  let events: readonly RecordedEvent[] = [];
  const projection = {
    ...store.projection,
    apply: (batch: readonly RecordedEvent[], transaction: Transaction) => {
      events = batch;
      return store.projection.apply(batch, transaction);
    },
  };
  return new Proxy(store, {
    get(target, key) {
      if (key === 'projection') return projection;
      if (key === 'acquire')
        return async (options: Parameters<typeof store.acquire>[0]) => {
          const lease = await target.acquire(options);
          if (lease === undefined) return undefined;
          const transact = lease.transact.bind(lease);
          lease.transact = async (to: FeedCursor | undefined, work, changes) => {
            events = [];
            await transact(to, work, changes);
            if (events.length > 0) applied.push(events.map(({ position }) => position));
          };
          return lease;
        };
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** No transaction has a part of a commit, and none comes twice. */
function expectWhole(
  applied: readonly (readonly number[])[],
  commits: readonly (readonly RecordedEvent[])[],
): void {
  const all = applied.flat();
  expect(new Set(all).size).toBe(all.length);
  for (const commit of commits) {
    const parts = applied.map(
      (positions) => commit.filter(({ position }) => positions.includes(position)).length,
    );
    expect(parts.filter((count) => count > 0 && count < commit.length)).toEqual([]);
  }
}

/** The model: what is refused, and what touches what waits, waits. */
function expectedBeforeRelease(commits: readonly (readonly RecordedEvent[])[]): number[] {
  const held = new Set<string>();
  const applied: number[] = [];
  for (const commit of commits) {
    const isHeld = commit.some(({ stream }) => held.has(stream));
    if (isHeld || commit.some(({ data }) => data['poison'] === true))
      for (const { stream } of commit) held.add(stream);
    else applied.push(...commit.map(({ position }) => position as number));
  }
  return applied;
}

function tallyOf(commits: readonly (readonly RecordedEvent[])[]): TallyRow[] {
  const rows = new Map<string, TallyRow>();
  for (const { stream } of commits.flat()) {
    const events = (rows.get(stream)?.events ?? 0) + 1;
    rows.set(stream, { stream, events, total: events });
  }
  return [...rows.values()].sort((one, other) => (one.stream < other.stream ? -1 : 1));
}

function ascending(one: number, other: number): number {
  return one - other;
}

import type { Position } from '@holdfast/event-store';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { DirectoryFeed } from '../../feed/directory-feed.js';
import { ProjectionRunner } from '../../runner/projection-runner.js';
import type { ProjectionState } from '../../runner/projection-status.js';
import { describeWithPostgres, newSchema } from '../../testing/describe-postgres.js';
import { LogUnderTest } from '../../testing/log-under-test.js';
import { postgresTally } from '../../testing/postgres-tally.js';
import { event } from '../../testing/read-model.contract.js';
import { killed, typescriptChild } from '../../testing/typescript-child.js';
import { PostgresReadModelStore } from './postgres-read-model-store.js';

const LEASE_MILLIS = 1_000;
const CATCH_UP_MILLIS = 60_000;
const KILLS = 20;
const LONG_MILLIS = 600_000;
const WORKER = new URL('../../testing/postgres-worker.ts', import.meta.url);

describeWithPostgres('read models in PostgreSQL under faults', (server) => {
  let log: LogUnderTest;
  let schema: string;
  let children: ChildProcess[];
  let appended = 0;

  beforeEach(async () => {
    log = await LogUnderTest.create();
    schema = newSchema();
    children = [];
    appended = 0;
  });

  afterEach(async () => {
    for (const child of children) {
      child.kill('SIGCONT');
      await killed(child);
    }
    await log.dispose();
  });

  const open = (where = schema) =>
    PostgresReadModelStore.open({
      ...{ url: server().url(), schema: where, leaseMillis: LEASE_MILLIS },
      projection: postgresTally(),
    });

  const append = async (count: number): Promise<Position> => {
    const last = await log.appendMany(count, (index) => ({
      ...{ type: 'counted', stream: `stream-${(appended + index) % 11}` },
      data: { amount: appended + index },
    }));
    appended += count;
    return last;
  };

  const work = async (where: string, ...during: ((runner: Runner) => Promise<unknown>)[]) => {
    const store = open(where);
    const feed = new DirectoryFeed(log.directory);
    const states: ProjectionState[] = [];
    const runner: Runner = new ProjectionRunner({
      ...{ feed, store, batchEvents: 50 },
      onState: ({ state }) => states.push(state),
    });
    const leaving = new AbortController();
    const running = runner.run(leaving.signal);
    running.catch(() => undefined);
    for (const step of during) await step(runner);
    expect(await runner.waitFor(log.log.lastPosition, CATCH_UP_MILLIS)).toBe(true);
    const digest = await store.digest();
    leaving.abort();
    await running;
    await feed.close();
    await store.close();
    return { digest, states };
  };

  const worker = async () => {
    const child = await typescriptChild(
      WORKER,
      ...[log.directory, server().url(), schema, String(LEASE_MILLIS)],
    );
    children.push(child);
    return child;
  };

  /** What the log alone makes. */
  const expected = async () => (await work(newSchema())).digest;

  it('keeps nothing of a transaction within which the server was killed, and goes on after its restart', async () => {
    const store = open();
    const { signal } = new AbortController();
    const acquire = async () => (await store.acquire({ owner: 'a test', signal }))!;
    const at = (position: number) => ({
      ...{ logId: 'the log', timeline: 'a'.repeat(16) },
      position: position as Position,
    });
    const lease = await acquire();
    const apply = (position: number) => (transaction: Parameters<typeof tally.apply>[1]) =>
      tally.apply([event(position, 'a', 5)], transaction);
    const tally = postgresTally();
    await lease.transact(at(1), apply(1));
    await lease.promote();
    const dying = lease.transact(at(2), async (transaction) => {
      await apply(2)(transaction);
      await server().kill();
    });
    await expect(dying).rejects.toMatchObject({ code: 'READ_MODEL_UNAVAILABLE' });
    await lease.release();
    await expect(acquire()).rejects.toMatchObject({ code: 'READ_MODEL_UNAVAILABLE' });
    await server().run();
    const again = await acquire();
    expect([again.cursor, again.promoted]).toEqual([at(1), true]);
    await again.transact(at(2), apply(2));
    expect(await store.digest()).toMatchObject({ cursor: at(2), tables: { tally: { rows: 1 } } });
    await again.release();
    await store.close();
  });

  it(
    'waits while the server is away, at the start and again and again, and ends with the rows of the log',
    async () => {
      await append(500);
      await server().kill();
      const { digest, states } = await work(
        schema,
        () => sleep(200),
        () => server().run(),
        ...Array.from({ length: 4 }, () => async () => {
          await append(500);
          await sleep(randomInt(300));
          await server().kill();
          await server().run();
        }),
      );
      expect(states).toContain('store-unavailable');
      expect(digest).toEqual(await expected());
    },
    LONG_MILLIS,
  );

  it(
    'has one writer while the holder of the lease is stopped within a transaction, and when it wakes up',
    async () => {
      await append(2_000);
      const holder = await worker();
      for (let round = 0; round < 3; round += 1) {
        await sleep(randomInt(100));
        holder.kill('SIGSTOP');
        const { digest } = await work(schema, async (runner) => {
          expect(await runner.waitFor(log.log.lastPosition, CATCH_UP_MILLIS)).toBe(true);
          holder.kill('SIGCONT');
          await append(200);
        });
        expect(digest).toEqual(await expected());
        await append(1_000);
      }
    },
    LONG_MILLIS,
  );

  it(
    `equals a fresh rebuild after ${KILLS} kills of its worker`,
    async () => {
      for (let kill = 0; kill < KILLS; kill += 1) {
        await append(100);
        const child = await worker();
        await sleep(randomInt(200));
        await killed(child);
      }
      const { digest } = await work(schema);
      expect(digest).toEqual(await expected());
    },
    LONG_MILLIS,
  );
});

type Runner = ProjectionRunner<Parameters<ReturnType<typeof postgresTally>['apply']>[1]>;

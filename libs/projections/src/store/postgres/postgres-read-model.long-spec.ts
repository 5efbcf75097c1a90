import type { Position } from '@holdfast/event-store';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { SqlProjection } from '../../projection.js';
import type { ReadModelLease } from '../../read-model-store.js';
import { describeWithPostgres, newSchema } from '../../testing/describe-postgres.js';
import { postgresTally } from '../../testing/postgres-tally.js';
import { event } from '../../testing/read-model.contract.js';
import { classified } from './postgres-errors.js';
import { PostgresReadModel, type PostgresReadModelOptions } from './postgres-read-model.js';
import { PostgresReadModelStore } from './postgres-read-model-store.js';
import type { PostgresTransaction } from './postgres-transaction.js';

const { signal } = new AbortController();
const BEYOND_32_BITS = 2 ** 31 + 7;

describe('what PostgreSQL throws', () => {
  it.each([
    ['ECONNREFUSED', 'nothing listens'],
    ['08006', 'the connection failed'],
    ['57P01', 'the server is shut down'],
    ['57P03', 'the server starts'],
    ['25006', 'a standby reads only'],
    ['53100', 'the disk is full'],
    ['53300', 'too many connections'],
    ['40P01', 'a deadlock'],
    ['57014', 'a time-out'],
  ])('is waited for when it passes: %s, %s', (code, message) => {
    const error = Object.assign(new Error(message), { code });
    expect(classified('place', error)).toMatchObject({ code: 'READ_MODEL_UNAVAILABLE' });
  });

  it('is damage when it says so, and else the fault of the statement', () => {
    const error = (code: string) => Object.assign(new Error('of the server'), { code });
    expect(classified('place', error('XX001'))).toMatchObject({ code: 'READ_MODEL_DAMAGED' });
    const violated = error('23505');
    expect(classified('place', violated)).toBe(violated);
  });
});

describeWithPostgres('a read model in PostgreSQL', (server) => {
  let schema: string;
  let closing: { close(): Promise<void> }[];
  let leases: ReadModelLease<PostgresTransaction>[];

  beforeEach(() => {
    schema = newSchema();
    closing = [];
    leases = [];
  });

  afterEach(async () => {
    for (const lease of leases) await lease.release();
    for (const each of closing) await each.close();
  });

  const place = () => ({ url: server().url(), schema });

  const storeOf = (projection: SqlProjection<PostgresTransaction> = postgresTally()) => {
    const store = PostgresReadModelStore.open({ ...place(), projection });
    closing.push(store);
    return store;
  };

  const modelOf = (version = 1, more: Partial<PostgresReadModelOptions> = {}) => {
    const projection = { name: 'tally', version };
    const model = PostgresReadModel.open({ ...place(), projection, ...more });
    closing.push(model);
    return model;
  };

  const lead = async (store = storeOf(), target: 'live' | 'fresh' = 'live') => {
    const lease = (await store.acquire({ owner: 'a test', target, signal }))!;
    leases.push(lease);
    return lease;
  };

  /** With tables that queries see. */
  const live = async (store = storeOf()) => {
    const lease = await lead(store);
    await lease.promote();
    return lease;
  };

  const apply = (
    lease: ReadModelLease<PostgresTransaction>,
    position: number,
    amount: number,
  ): Promise<void> =>
    lease.transact(at(position), (transaction) =>
      postgresTally().apply([event(position, 'a', amount)], transaction),
    );

  const total = (model: PostgresReadModel) =>
    model.read(async ({ position, query }) => {
      const [row] = await query<{ total: number }>('SELECT total FROM tally');
      return [position, row?.total];
    });

  describe('for queries', () => {
    it('is not ready before there is a catalog, then says how far it is filled, and what is live meanwhile', async () => {
      const two = modelOf(2);
      const reading = () => two.read(() => Promise.resolve());
      await expect(reading()).rejects.toMatchObject({ code: 'READ_MODEL_NOT_READY' });
      expect([await two.ready(), await two.position()]).toEqual([false, 0]);
      await apply(await live(), 1, 5);
      await expect(reading()).rejects.toThrow(
        'version 1 is live, and nobody fills tables of version 2',
      );
      await apply(await lead(storeOf(postgresTally(2))), 1, 5);
      await expect(reading()).rejects.toThrow(
        'version 1 is live, version 2 is being filled and stands at position 1',
      );
    });

    it('is what its position says, beyond 2^31 too', async () => {
      const lease = await live();
      await apply(lease, BEYOND_32_BITS, BEYOND_32_BITS);
      const model = modelOf();
      expect(await total(model)).toEqual([BEYOND_32_BITS, BEYOND_32_BITS]);
      expect(await model.position()).toBe(BEYOND_32_BITS);
    });

    it('sees one moment in all statements, while the worker commits', async () => {
      const lease = await live();
      await apply(lease, 1, 5);
      const model = modelOf();
      const seen = await model.read(async ({ position, query }) => {
        const before = await query('SELECT * FROM tally');
        await apply(lease, 2, 100);
        return [position, before, await query('SELECT * FROM tally')] as const;
      });
      expect(seen[2]).toEqual(seen[1]);
      expect([seen[0], await total(model)]).toEqual([1, [2, 105]]);
    });

    it('follows a switch to rebuilt tables, and shows nothing that is refused', async () => {
      const store = storeOf();
      await apply(await live(store), 1, 5);
      const model = modelOf();
      const fresh = await lead(store, 'fresh');
      await apply(fresh, 1, 6);
      expect(await total(model)).toEqual([1, 5]);
      await fresh.promote();
      expect(await total(model)).toEqual([1, 6]);
      await fresh.refuse('the log was restored');
      await expect(total(model)).rejects.toThrow('the log was restored');
      expect(await model.ready()).toBe(false);
    });

    it('reads tables of an older version that it knows until its own are live, and says which', async () => {
      const three = modelOf(3, { olderVersions: [2, 1] });
      const seen = () =>
        three.read(({ version, position }) => Promise.resolve([version, position]));
      await apply(await live(), 1, 5);
      expect(await seen()).toEqual([1, 1]);
      const filling = await lead(storeOf(postgresTally(3)));
      await apply(filling, 1, 5);
      expect(await seen()).toEqual([1, 1]);
      await filling.promote();
      expect(await seen()).toEqual([3, 1]);
    });

    it('cannot write, ends a statement that takes too long, and goes on after both', async () => {
      await apply(await live(), 1, 5);
      const model = modelOf(1, { statementMillisMax: 50, connectionsMax: 1 });
      const run = (sql: string) => model.read(({ query }) => query(sql));
      for (const sql of ['DELETE FROM tally', 'SELECT pg_sleep(60)'])
        await expect(run(sql)).rejects.toMatchObject({ code: 'READ_MODEL_UNAVAILABLE' });
      await expect(run('SELECT nothing')).rejects.toMatchObject({ code: '42703' });
      expect(await total(model)).toEqual([1, 5]);
    });

    it('is waited for by many at once, and ends waits with the timeout, the signal and the close', async () => {
      const lease = await live();
      const model = modelOf();
      const waits = [1, 1, 2].map((position) => model.waitForPosition(position as Position, 5_000));
      const leaving = new AbortController();
      const aborted = model.waitForPosition(9 as Position, 60_000, leaving.signal);
      const late = model.waitForPosition(9 as Position, 50);
      await apply(lease, 1, 5);
      await apply(lease, 2, 5);
      expect(await Promise.all(waits)).toEqual([true, true, true]);
      leaving.abort();
      expect([await aborted, await late]).toEqual([false, false]);
      const closed = model.waitForPosition(9 as Position, 60_000);
      await model.close();
      closing = closing.filter((each) => each !== model);
      expect(await closed).toBe(false);
    });
  });

  describe('for workers', () => {
    it.each<[string, (transaction: PostgresTransaction) => void | Promise<void>]>([
      [
        'a statement that fails, caught or not',
        (transaction) => transaction.query('SELECT nothing').then(undefined, () => undefined),
      ],
      ['a statement that fails and that nobody waits for', ({ query }) => void query('SELECT 1/0')],
      ['a statement that would end the transaction', ({ query }) => void query(' commit')],
    ])('keeps nothing of a batch with %s', async (_, work) => {
      const lease = await live();
      await apply(lease, 1, 5);
      const failing = lease.transact(at(2), async (transaction) => {
        await postgresTally().apply([event(2, 'a', 5)], transaction);
        await work(transaction);
      });
      await expect(failing).rejects.toThrow();
      expect(lease.cursor).toEqual(at(1));
      await apply(lease, 2, 7);
      expect(await total(modelOf())).toEqual([2, 12]);
    });

    it.each<[string, (failing: Promise<unknown>) => unknown]>([
      ['that nobody waits for', () => undefined],
      [
        'that is told in other words',
        (failing) => failing.catch((cause: unknown) => Promise.reject(new Error('no', { cause }))),
      ],
    ])('waits for what passes when it fails a statement %s', async (_, wait) => {
      const lease = await live();
      const failing = lease.transact(at(1), async ({ query }) => {
        await query(`SELECT set_config('statement_timeout', '20ms', true)`);
        await wait(query('SELECT pg_sleep(10)'));
        await query('SELECT 1');
      });
      await expect(failing).rejects.toMatchObject({ code: 'READ_MODEL_UNAVAILABLE' });
      await apply(lease, 1, 5);
      expect(await total(modelOf())).toEqual([1, 5]);
    });

    it('reads numeric as text, and throws at a bigint that is no exact number', async () => {
      const lease = await live();
      await lease.transact(at(1), async (transaction) => {
        const [row] = await transaction.query(
          'SELECT 12345678901234567890.50::numeric AS amount, $1::bigint AS position',
          [2 ** 40],
        );
        expect(row).toEqual({ amount: '12345678901234567890.50', position: 2 ** 40 });
      });
      const inexact = lease.transact(at(2), async (transaction) => {
        await transaction.query('SELECT 9007199254740993::bigint');
      });
      await expect(inexact).rejects.toThrow('use numeric');
    });

    it('takes the lease of a worker that is stuck within a transaction, once it has run out', async () => {
      const projection = postgresTally();
      const open = () => {
        const store = PostgresReadModelStore.open({ ...place(), projection, leaseMillis: 300 });
        closing.push(store);
        return store;
      };
      const stuck = await live(open());
      await apply(stuck, 1, 5);
      let successor: ReadModelLease<PostgresTransaction> | undefined;
      const late = stuck.transact(at(2), async (transaction) => {
        await projection.apply([event(2, 'a', 100)], transaction);
        successor = await lead(open());
      });
      await expect(late).rejects.toMatchObject({ code: 'READ_MODEL_UNAVAILABLE' });
      await apply(successor!, 2, 1);
      expect(await total(modelOf())).toEqual([2, 6]);
    });

    it('refuses tables of other definitions under the same version, by name', async () => {
      await (await live()).release();
      const tables = ['CREATE TABLE tally (stream text PRIMARY KEY, events numeric)'];
      const changed = storeOf({ ...postgresTally(), tables });
      await expect(lead(changed)).rejects.toMatchObject({
        code: 'READ_MODEL_CHANGED',
        details: { tables: 'tally' },
      });
    });

    it('begins anew when somebody removed the schema of the tables, or all of them', async () => {
      const store = storeOf();
      const lease = await live(store);
      await apply(lease, 1, 5);
      await server().query(`DROP SCHEMA ${schema}_tally_1 CASCADE`);
      await expect(apply(lease, 2, 5)).rejects.toMatchObject({ code: 'READ_MODEL_UNAVAILABLE' });
      expect(await modelOf().ready()).toBe(false);
      await lease.release();
      const again = await lead(store);
      expect([again.generation, again.cursor]).toEqual([2, undefined]);
      await server().query(`DROP SCHEMA ${schema} CASCADE`);
      await expect(apply(again, 1, 5)).rejects.toMatchObject({ code: 'READ_MODEL_UNAVAILABLE' });
      await again.release();
      const anew = await lead(store);
      expect([anew.generation, anew.cursor]).toEqual([1, undefined]);
    });

    it('never says the password', async () => {
      const url = `postgres://holdfast:secret@127.0.0.1:1/nowhere`;
      const store = PostgresReadModelStore.open({ url, projection: postgresTally() });
      const error: unknown = await lead(store).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'READ_MODEL_UNAVAILABLE' });
      expect(String(error)).toContain('127.0.0.1:1');
      expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain('secret');
      await store.close();
    });
  });
});

function at(position: number) {
  return { logId: 'the log', position: position as Position, timeline: 'a'.repeat(16) };
}

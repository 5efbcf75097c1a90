import type { Position } from '@holdfast/event-store';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ReadModelLease } from '../../read-model-store.js';
import { SqliteReadModel } from './sqlite-read-model.js';
import { SqliteReadModelStore } from './sqlite-read-model-store.js';
import type { SqliteTransaction } from './sqlite-transaction.js';
import { event } from '../../testing/read-model.contract.js';
import { tally } from '../../testing/tally.js';

describe('the query side of a SQLite read model', () => {
  const { signal } = new AbortController();
  let directory: string;
  let model: SqliteReadModel;
  let store: SqliteReadModelStore;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'holdfast-queries-'));
    model = SqliteReadModel.open({ directory, projection: { name: 'tally', version: 1 } });
    store = SqliteReadModelStore.open({ directory: directory, projection: tally() });
  });

  afterEach(async () => {
    model.close();
    await store.close();
    await rm(directory, { recursive: true });
  });

  const acquire = async (target: 'live' | 'fresh' = 'live') => {
    const lease = (await store.acquire({ owner: 'a test', target, signal }))!;
    // The first tables of all, as if they had caught up with an empty log.
    if (lease.generation === 1) await lease.promote();
    return lease;
  };

  const apply = (
    lease: ReadModelLease<SqliteTransaction>,
    position: number,
    amount: number,
    stream = 'a',
  ) =>
    lease.transact(
      { logId: 'the log', position: position as Position, timeline: 'a'.repeat(16) },
      (transaction) => tally().apply([event(position, stream, amount)], transaction),
    );

  const total = () =>
    model.read((now) => [
      now.position,
      now.prepare<[], { total: number }>('SELECT sum(total) AS total FROM tally').get()?.total,
    ]);

  it('is filled only by the statements that made it: a change without a new version is told', async () => {
    const open = async (tables: readonly string[], version = 1) => {
      const changed = SqliteReadModelStore.open({
        directory,
        projection: { ...tally(version), tables },
      });
      const lease = await changed
        .acquire({ owner: 'a test', signal })
        .finally(() => changed.close());
      await lease?.release();
    };
    const { tables } = tally();
    await open(tables);
    await open(tables.map((sql) => sql.replaceAll(',', ' ,\n  -- the next column\n')));
    const index = 'CREATE INDEX by_total ON tally (total)';
    const other = tables.map((sql) => sql.replace('total', 'sum'));
    for (const [name, now] of [
      ['tally', other],
      ['by_total', [...tables, index]],
    ] as const)
      await expect(open(now)).rejects.toMatchObject({
        code: 'READ_MODEL_CHANGED',
        message: `the read model tally of version 1 was made with another definition of ${name} than this program has: raise the version to 2, and it is made anew from the log`,
      });
    await open(other, 2);
  });

  it('may be made before there is anything, and says so', async () => {
    expect([model.ready, model.position]).toEqual([false, 0]);
    expect(total).toThrow(expect.objectContaining({ code: 'READ_MODEL_NOT_READY' }));
    const lease = await acquire();
    expect([model.ready, model.position]).toEqual([true, 0]);
    await apply(lease, 1, 5);
    expect(total()).toEqual([1, 5]);
    await lease.release();
  });

  it('says why there is nothing to see: what is being filled, and which version is live meanwhile', async () => {
    const lease = (await store.acquire({ owner: 'a test', signal }))!;
    expect(total).toThrow('version 1 is being filled and stands at position 0');
    await lease.promote();
    await apply(lease, 1, 5);
    const two = SqliteReadModel.open({ directory, projection: { name: 'tally', version: 2 } });
    expect(() => two.read(() => undefined)).toThrow(
      'version 1 is live, and nobody fills tables of version 2',
    );
    two.close();
    const storeOfTwo = SqliteReadModelStore.open({ directory, projection: tally(2) });
    const filling = (await storeOfTwo.acquire({ owner: 'a test', signal }))!;
    await apply(filling, 1, 5);
    const again = SqliteReadModel.open({ directory, projection: { name: 'tally', version: 2 } });
    expect(() => again.read(() => undefined)).toThrow(
      'version 1 is live, version 2 is being filled and stands at position 1',
    );
    again.close();
    await filling.release();
    await storeOfTwo.close();
    await lease.refuse('the log was restored');
    expect(total).toThrow('the log was restored');
    expect([model.ready, model.position]).toEqual([false, 0]);
    await lease.release();
  });

  it('reads tables of an older version that it knows until those of its own are live, and says which', async () => {
    const projection = { name: 'tally', version: 3 };
    const three = SqliteReadModel.open({ directory, projection, olderVersions: [2, 1] });
    const seen = () => three.read(({ version, position }) => [version, position]);
    const one = await acquire();
    await apply(one, 1, 5);
    expect([three.ready, seen()]).toEqual([true, [1, 1]]);
    const storeOfThree = SqliteReadModelStore.open({ directory, projection: tally(3) });
    const filling = (await storeOfThree.acquire({ owner: 'a test', signal }))!;
    await apply(one, 2, 5);
    expect(seen()).toEqual([1, 2]);
    for (const position of [1, 2]) await apply(filling, position, 5);
    await filling.promote();
    expect(seen()).toEqual([3, 2]);
    await apply(one, 3, 5);
    expect([seen(), model.position]).toEqual([[3, 2], 3]);
    three.close();
    await filling.release();
    await storeOfThree.close();
    await one.release();
  });

  it('sees one moment in all statements of a query, while the worker commits', async () => {
    const lease = await acquire();
    await apply(lease, 1, 5);
    let committing: Promise<void> | undefined;
    const seen = model.read((now) => {
      const before = now.prepare<[]>('SELECT * FROM tally').all();
      // SQLite commits within this very call, from the other connection.
      committing = apply(lease, 2, 100);
      return [before, now.prepare<[]>('SELECT * FROM tally').all(), now.position];
    });
    await committing;
    expect(seen[1]).toEqual(seen[0]);
    expect(seen[2]).toBe(1);
    expect(total()).toEqual([2, 105]);
    await lease.release();
  });

  it('cannot write', async () => {
    const lease = await acquire();
    const write = () => model.read((now) => now.prepare('DELETE FROM tally').run());
    expect(write).toThrow();
    await lease.release();
    expect(write).toThrow();
  });

  it('passes on what the query throws, and goes on', async () => {
    const lease = await acquire();
    const failing = () =>
      model.read(() => {
        throw new Error('of the query');
      });
    expect(failing).toThrow('of the query');
    await apply(lease, 1, 5);
    expect(total()).toEqual([1, 5]);
    await lease.release();
  });

  it('follows a switch to rebuilt tables, without a moment in between', async () => {
    const live = await acquire();
    await apply(live, 1, 5);
    const fresh = await acquire('fresh');
    await apply(fresh, 1, 6);
    expect(total()).toEqual([1, 5]);
    await fresh.promote();
    expect(total()).toEqual([1, 6]);
    await apply(fresh, 2, 6);
    expect(total()).toEqual([2, 12]);
    await live.release();
    await fresh.release();
  });

  it('goes on when the files were removed and made anew', async () => {
    const lease = await acquire();
    await apply(lease, 9, 5);
    expect(model.position).toBe(9);
    await rm(join(directory, 'tally'), { recursive: true });
    await lease.release();
    const again = await acquire();
    await apply(again, 1, 1);
    await sleep(1_050);
    expect(total()).toEqual([1, 1]);
    await again.release();
  });

  describe('waiting for a position', () => {
    it('ends at once when it is there, soon after it came, and with the timeout when it does not', async () => {
      const lease = await acquire();
      await apply(lease, 5, 1);
      expect(await model.waitForPosition(5 as Position, 0)).toBe(true);
      const waits = [6, 6, 7, 8].map((position) =>
        model.waitForPosition(position as Position, position === 8 ? 200 : 5_000),
      );
      await sleep(20);
      await apply(lease, 6, 1);
      expect(await Promise.all(waits.slice(0, 2))).toEqual([true, true]);
      const startedAt = performance.now();
      await apply(lease, 7, 1);
      expect(await waits[2]).toBe(true);
      expect(performance.now() - startedAt).toBeLessThan(1_000);
      expect(await waits[3]).toBe(false);
      await lease.release();
    });

    it('starts before there is a read model', async () => {
      const waiting = model.waitForPosition(1 as Position, 5_000);
      const lease = await acquire();
      await apply(lease, 1, 5);
      expect(await waiting).toBe(true);
      await lease.release();
    });

    it('ends when its signal fires, and at the close', async () => {
      const leaving = new AbortController();
      const aborted = model.waitForPosition(1 as Position, 60_000, leaving.signal);
      const closed = model.waitForPosition(1 as Position, 60_000);
      leaving.abort();
      expect(await aborted).toBe(false);
      model.close();
      expect(await closed).toBe(false);
    });
  });
});

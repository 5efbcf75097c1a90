import type { Position } from '@holdfast/event-store';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ReadModelLease } from '../../read-model-store.js';
import type { SqliteConnection } from './sqlite-connection.js';
import { type ReadModelSnapshot, SqliteReadModel } from './sqlite-read-model.js';
import { SqliteReadModelStore } from './sqlite-read-model-store.js';
import type { SqliteTransaction } from './sqlite-transaction.js';

/** What no caller has: the connection under the statements. */
interface Held {
  readonly connection: SqliteConnection;
}
type Work = (tables: SqliteTransaction) => void;
const TEXT = 'SELECT id, total FROM sums ORDER BY id';
const projection = {
  ...{ name: 'sums', version: 1, handles: ['counted'], apply: () => undefined },
  tables: ['CREATE TABLE sums (id TEXT PRIMARY KEY, total INTEGER NOT NULL) STRICT'],
};

describe('the statements of a read model', () => {
  let directory: string;
  let store: SqliteReadModelStore;
  let lease: ReadModelLease<SqliteTransaction>;
  let model: SqliteReadModel;
  let position: number;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'holdfast-statements-'));
    store = SqliteReadModelStore.open({ directory, projection });
    lease = (await store.acquire({ owner: 'a test', signal: new AbortController().signal }))!;
    await lease.promote();
    model = SqliteReadModel.open({ directory, projection });
    position = 0;
    await step((tables) => {
      for (const id of ['a', 'b', 'c']) tables.prepare('INSERT INTO sums VALUES (?, ?)').run(id, 5);
    });
  });

  afterEach(async () => {
    model.close();
    await lease.release();
    await store.close();
    rmSync(directory, { recursive: true });
  });

  const step = (work: Work) => {
    const cursor = { logId: 'the log', timeline: 'a'.repeat(16) };
    return lease.transact({ ...cursor, position: ++position as Position }, work);
  };
  /** In both places where somebody else's code gets statements. */
  const places = [
    ['a query', (work: Work) => Promise.resolve().then(() => model.read(work))],
    ['a step', step],
  ] as const;

  it.each(places)('of %s tell each caller of one text rows in its own way', async (_, run) => {
    const bigs = [5n, 5n, 5n];
    await run((tables) => {
      expect(tables.prepare(TEXT).pluck().all()).toEqual(['a', 'b', 'c']);
      expect(tables.prepare(TEXT).raw().get()).toEqual(['a', 5]);
      const totals = tables.prepare<[], bigint>('SELECT total FROM sums').safeIntegers().pluck();
      expect([totals.all(), [...totals.iterate()]]).toEqual([bigs, bigs]);
      expect(tables.prepare('SELECT total FROM sums').pluck().all()).toEqual([5, 5, 5]);
    });
    await run((tables) => {
      expect(tables.prepare(TEXT).get()).toEqual({ id: 'a', total: 5 });
      expect(tables.prepare('SELECT total FROM sums').get()).toEqual({ total: 5 });
    });
  });

  it.each(places)('of %s tell rows within the rows of the same text', async (_, run) => {
    await run((tables) => {
      const pairs: string[] = [];
      const ids = tables.prepare<[], string>(TEXT).pluck();
      for (const one of ids.iterate())
        for (const other of ids.iterate()) pairs.push(`${one}${other} of ${ids.all().length}`);
      expect(pairs).toHaveLength(9);
    });
  });

  it.each(places)('of %s end with it, where they were left open', async (_, run) => {
    let left: Iterator<unknown> | undefined;
    const leave = (tables: SqliteTransaction) => {
      left = tables.prepare(TEXT).iterate();
      left.next();
    };
    await run(leave);
    expect(left?.next()).toEqual({ done: true, value: undefined });
    const thrown = (tables: SqliteTransaction) => {
      leave(tables);
      throw new Error('of the work');
    };
    await expect(run(thrown)).rejects.toThrow('of the work');
    position -= 1;
    await step((tables) => tables.prepare('UPDATE sums SET total = 6').run());
    expect(model.read((tables) => tables.prepare(TEXT).all())).toHaveLength(3);
  });

  it('that cannot be ended cost the one query or step, and no later one', async () => {
    const hold = ({ connection }: Held) => connection.database.prepare(TEXT).iterate().next();
    const query = () => model.read((tables) => tables.prepare(TEXT).all());
    const unavailable = { code: 'READ_MODEL_UNAVAILABLE' };
    query();
    expect(() =>
      model.read(() => hold((model as unknown as { readonly open: Held }).open)),
    ).toThrow(expect.objectContaining(unavailable));
    expect(query()).toHaveLength(3);
    const held = step(() => void hold(lease as unknown as Held));
    await expect(held).rejects.toMatchObject(unavailable);
    await lease.release();
    expect(query()).toHaveLength(3);
  });

  it('that a query kept for later hold up no query after it', () => {
    let kept: ReturnType<ReadModelSnapshot['prepare']> | undefined;
    model.read((tables) => (kept = tables.prepare(TEXT)));
    kept?.iterate().next();
    expect(model.read((tables) => tables.prepare(TEXT).all())).toHaveLength(3);
  });

  it('stay compiled while they are used, and of many texts the last', () => {
    const text = (at: number) => `SELECT ${at} AS at`;
    model.read((tables) => {
      const [often, once] = [tables.prepare(TEXT), tables.prepare(text(0))];
      for (let at = 1; at <= 1_000; at++) {
        expect(tables.prepare<[], { at: number }>(text(at)).get()?.at).toBe(at);
        expect(tables.prepare(text(at))).toBe(tables.prepare(text(at)));
        expect(tables.prepare(TEXT)).toBe(often);
      }
      expect(tables.prepare(text(0))).not.toBe(once);
      expect(once.get()).toEqual({ at: 0 });
    });
  });
});

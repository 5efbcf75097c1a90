import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import SqliteDatabase from 'better-sqlite3';
import { cp, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { classified } from '../../read-model.errors.js';
import type { ReadModelLease } from '../../read-model-store.js';
import { markCaughtUp } from './sqlite-bookkeeping.js';
import { SqliteCatalog } from './sqlite-catalog.js';
import { SqliteConnection } from './sqlite-connection.js';
import { prepareGeneration } from './sqlite-generation.js';
import { SqliteReadModel } from './sqlite-read-model.js';
import { SqliteReadModelStore } from './sqlite-read-model-store.js';
import type { SqliteTransaction } from './sqlite-transaction.js';
import {
  GRACE_UNDER_TEST_MILLIS,
  LEASE_UNDER_TEST_MILLIS,
  OLDER_VERSION_UNDER_TEST_MILLIS,
  type ReadModelUnderTest,
  type TallyRow,
  TestClock,
  describeReadModelStore,
  event,
} from '../../testing/read-model.contract.js';
import { describeQuarantine } from '../../testing/quarantine.contract.js';
import { tally } from '../../testing/tally.js';

const temporary = () => mkdtemp(join(tmpdir(), 'holdfast-read-model-'));
const { signal } = new AbortController();

describeReadModelStore('SQLite', async () => subjectIn(await temporary()));
describeQuarantine('SQLite', async () => subjectIn(await temporary()));

function subjectIn(directory: string): ReadModelUnderTest<SqliteTransaction> {
  const clock = new TestClock();
  return {
    clock,
    tally,
    open: (projection) =>
      SqliteReadModelStore.open({
        directory,
        projection,
        clock,
        leaseMillis: LEASE_UNDER_TEST_MILLIS,
        graceMillis: GRACE_UNDER_TEST_MILLIS,
        olderVersionMillis: OLDER_VERSION_UNDER_TEST_MILLIS,
      }),
    rows: (version = 1) => Promise.resolve(rowsIn(directory, version)),
    // What a killed process leaves is what the files hold at that moment.
    afterCrash: async () => {
      const copy = await temporary();
      await cp(directory, copy, { recursive: true });
      return subjectIn(copy);
    },
    dispose: () => rm(directory, { recursive: true }),
  };
}

function rowsIn(directory: string, version: number): readonly TallyRow[] | undefined {
  const model = SqliteReadModel.open({ directory, projection: { name: 'tally', version } });
  const rows = model.ready
    ? model.read((now) => now.prepare<[], TallyRow>('SELECT * FROM tally ORDER BY stream').all())
    : undefined;
  model.close();
  return rows;
}

describe('the files of a SQLite read model', () => {
  const acquire = async (store: SqliteReadModelStore, target: 'live' | 'fresh' = 'live') => {
    const lease: ReadModelLease<SqliteTransaction> | undefined = await store.acquire({
      owner: 'a test',
      target,
      signal,
    });
    // The first tables of all, as if they had caught up with an empty log.
    if (lease!.generation === 1) await lease!.promote();
    return lease!;
  };

  it('removes replaced generations after the grace time, with everything beside them', async () => {
    const directory = await temporary();
    const clock = new TestClock();
    const store = SqliteReadModelStore.open({ directory, projection: tally(), clock });
    const live = await acquire(store);
    const fresh = await acquire(store, 'fresh');
    await fresh.promote();
    await live.release();
    await fresh.release();
    const names = () => readdir(join(directory, 'tally'));
    expect(await names()).toContain('generation-000001.sqlite');
    clock.advance(60_001);
    const lease = await acquire(store);
    expect((await names()).filter((name) => name.startsWith('generation-000001'))).toEqual([]);
    await lease.release();
    await store.close();
    await rm(directory, { recursive: true });
  });

  it('takes up a catalog of a program that knew one set of tables over all versions, which can still read the new one', async () => {
    const directory = await temporary();
    const open = (version: number) =>
      SqliteReadModelStore.open({ directory, projection: tally(version) });
    const [storeOfOne, storeOfTwo] = [open(1), open(2)];
    await mkdir(join(directory, 'tally'));
    const path = join(directory, 'tally', 'catalog.sqlite');
    const ofBefore = `
      CREATE TABLE IF NOT EXISTS generation (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        version INTEGER NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('filling', 'live', 'retired')),
        retired_at INTEGER
      ) STRICT;
      CREATE UNIQUE INDEX IF NOT EXISTS one_of_each ON generation (state) WHERE state <> 'retired';
    `;
    const before = new SqliteDatabase(path);
    before.exec(`${ofBefore} INSERT INTO generation (version, state) VALUES (1, 'live')`);
    before.close();
    const made = new SqliteConnection(join(directory, 'tally', 'generation-000001.sqlite'));
    prepareGeneration(made, tally());
    markCaughtUp(made);
    made.close();
    const one = await acquire(storeOfOne);
    expect([one.generation, one.promoted]).toEqual([1, true]);
    const two = await acquire(storeOfTwo);
    await two.promote();
    expect([one.promoted, two.promoted]).toEqual([true, true]);
    const again = new SqliteDatabase(path);
    again.exec(ofBefore);
    const live = again
      .prepare(`SELECT id, version, state FROM generation WHERE state = 'live'`)
      .get();
    expect(live).toEqual({ id: 1, version: 1, state: 'live' });
    again.close();
    for (const lease of [one, two]) await lease.release();
    for (const store of [storeOfOne, storeOfTwo]) await store.close();
    await rm(directory, { recursive: true });
  });

  it('notices that its files were removed, and starts anew in the same process', async () => {
    const directory = await temporary();
    const clock = new TestClock();
    const store = SqliteReadModelStore.open({ directory, projection: tally(), clock });
    const lease = await acquire(store);
    await lease.transact(cursorAt(7), () => undefined);
    await rm(join(directory, 'tally'), { recursive: true });
    clock.advance(4_000);
    await expect(lease.renew()).rejects.toMatchObject({ code: 'READ_MODEL_UNAVAILABLE' });
    await lease.release();
    const again = await acquire(store);
    expect([again.promoted, again.cursor]).toEqual([true, undefined]);
    await again.release();
    await store.close();
    await rm(directory, { recursive: true });
  });

  it.each(['removed', 'replaced by a copy'])(
    'moves on to no position while its files are %s',
    async (how) => {
      const directory = await temporary();
      const store = SqliteReadModelStore.open({ directory, projection: tally() });
      const lease = await acquire(store);
      await lease.transact(cursorAt(7), () => undefined);
      const tables = join(directory, 'tally');
      await rename(tables, `${tables}.away`);
      if (how !== 'removed') await cp(`${tables}.away`, tables, { recursive: true });
      const moved = lease.transact(cursorAt(8), () => undefined);
      await expect(moved).rejects.toMatchObject({ code: 'READ_MODEL_UNAVAILABLE' });
      expect(lease.cursor).toEqual(cursorAt(7));
      await expect(lease.renew()).rejects.toMatchObject({ code: 'READ_MODEL_UNAVAILABLE' });
      await expect(lease.promote()).rejects.toMatchObject({ code: 'READ_MODEL_UNAVAILABLE' });
      await lease.release();
      await store.close();
      await rm(directory, { recursive: true });
    },
  );

  it.each([
    'EROFS',
    'ENOTDIR',
    'EMFILE',
    'ENOMEM',
    'EPERM',
    'SQLITE_READONLY_DBMOVED',
    'SQLITE_FULL',
  ])('takes %s for what passes, not for damage and not for a bug', (code) => {
    const error = Object.assign(new Error('of the volume'), { code });
    expect(classified('path', error)).toMatchObject({ code: 'READ_MODEL_UNAVAILABLE' });
  });

  it('needs no volume to be opened, and keeps no descriptor of what it cannot open', async () => {
    const directory = await temporary();
    const file = join(directory, 'tally');
    await writeFile(file, '');
    const store = SqliteReadModelStore.open({ directory, projection: tally() });
    await expect(acquire(store)).rejects.toMatchObject({ code: 'READ_MODEL_UNAVAILABLE' });
    await rm(file);
    await mkdir(file);
    await writeFile(join(file, 'catalog.sqlite'), 'x'.repeat(8_192));
    const descriptors = () => readdir('/proc/self/fd').then((names) => names.length);
    const before = await descriptors();
    for (let tries = 0; tries < 20; tries += 1)
      await expect(acquire(store)).rejects.toMatchObject({ code: 'READ_MODEL_DAMAGED' });
    expect(await descriptors()).toBeLessThan(before + 10);
    await rm(join(file, 'catalog.sqlite'));
    await (await acquire(store)).release();
    await store.close();
    await rm(directory, { recursive: true });
  });

  it('refuses to go on from a position that somebody moved by hand', async () => {
    const directory = await temporary();
    const store = SqliteReadModelStore.open({ directory, projection: tally() });
    const lease = await acquire(store);
    await lease.transact(cursorAt(7), () => undefined);
    const other = new SqliteDatabase(join(directory, 'tally', 'generation-000001.sqlite'));
    other.exec('UPDATE holdfast_projection SET position = 5');
    other.close();
    await expect(lease.transact(cursorAt(8), () => undefined)).rejects.toMatchObject({
      code: 'READ_MODEL_CONFLICT',
      details: { position: 7, foundPosition: 5 },
    });
    await lease.release();
    await store.close();
    await rm(directory, { recursive: true });
  });

  it.each([
    ['another version of it', { version: 7 }],
    ['another projection', { name: 'other' }],
  ])('takes a file of %s for none, and leaves it as it is', async (_, other) => {
    const directory = await temporary();
    const others = { ...tally(), ...other };
    const former = SqliteReadModelStore.open({ directory, projection: others });
    const theirs = await acquire(former);
    await theirs.transact(cursorAt(7), () => undefined);
    await rm(join(directory, others.name, 'catalog.sqlite'));
    if (others.name !== 'tally')
      await rename(join(directory, others.name), join(directory, 'tally'));
    const store = SqliteReadModelStore.open({ directory, projection: tally() });
    const lease = (await store.acquire({ owner: 'a test', signal }))!;
    expect([lease.generation, lease.cursor]).toEqual([2, undefined]);
    await lease.transact(cursorAt(1), () => undefined);
    await lease.promote();
    const file = join(directory, 'tally', 'generation-000001.sqlite');
    const left = new SqliteDatabase(file, { readonly: true });
    const row = left.prepare('SELECT name, version, position FROM holdfast_projection').get();
    expect(row).toEqual({ name: others.name, version: others.version, position: 7 });
    left.close();
    await lease.release();
    await store.close();
    await theirs.release();
    await former.close();
    await rm(directory, { recursive: true });
  });

  describe('whose catalog and tables do not belong together', () => {
    const generation = (id: number) => `generation-00000${id}.sqlite`;
    let directory: string;
    let files: string;
    let store: SqliteReadModelStore;
    const open = () => SqliteReadModelStore.open({ directory, projection: tally() });
    const take = async (target: 'live' | 'fresh' = 'live') =>
      (await store.acquire({ owner: 'a test', target, signal }))!;
    const fill = (lease: ReadModelLease<SqliteTransaction>, position: number) =>
      lease.transact(cursorAt(position), (transaction) =>
        tally().apply([event(position, 'a', position)], transaction),
      );
    const removeTables = async (id: number) => {
      for (const name of await readdir(files))
        if (name.startsWith(generation(id))) await rm(join(files, name));
    };

    beforeEach(async () => {
      directory = await temporary();
      files = join(directory, 'tally');
      store = open();
      const lease = await take();
      await fill(lease, 7);
      await lease.promote();
      await lease.release();
      await store.close();
      expect(rowsIn(directory, 1)).toMatchObject([{ total: 7 }]);
      store = open();
    });

    afterEach(async () => {
      await store.close();
      await rm(directory, { recursive: true });
    });

    it('shows nothing of tables that are made for ones that are gone, until they have caught up', async () => {
      await removeTables(1);
      expect(rowsIn(directory, 1)).toBeUndefined();
      await expect(store.digest()).rejects.toMatchObject({ code: 'READ_MODEL_NOT_READY' });
      expect(await readdir(files)).not.toContain(generation(1));
      const lease = await take();
      expect([lease.generation, lease.promoted, lease.cursor]).toEqual([2, false, undefined]);
      await fill(lease, 2);
      expect(rowsIn(directory, 1)).toBeUndefined();
      await lease.promote();
      expect(rowsIn(directory, 1)).toMatchObject([{ total: 2 }]);
      await lease.release();
    });

    it('gives up tables that a worker made for ones that are gone and then died', async () => {
      await removeTables(1);
      const made = new SqliteConnection(join(files, generation(1)));
      prepareGeneration(made, tally());
      made.close();
      expect(rowsIn(directory, 1)).toBeUndefined();
      await expect(store.digest()).rejects.toMatchObject({ code: 'READ_MODEL_NOT_READY' });
      const lease = await take();
      expect([lease.generation, lease.promoted]).toEqual([2, false]);
      await lease.release();
    });

    it('lets a rebuild take over from tables that are gone', async () => {
      await removeTables(1);
      const lease = await take('fresh');
      await fill(lease, 2);
      expect(await lease.promote()).toEqual({ promoted: true });
      expect(rowsIn(directory, 1)).toMatchObject([{ total: 2 }]);
      await lease.release();
    });

    it('keeps tables that caught up with an empty log', async () => {
      const fresh = await take('fresh');
      await removeTables(1);
      await fresh.promote();
      await fresh.release();
      const again = await take();
      expect([again.generation, again.promoted, again.cursor]).toEqual([2, true, undefined]);
      expect(rowsIn(directory, 1)).toEqual([]);
      await again.release();
    });

    it('fills tables that are there on, where the catalog is missing', async () => {
      await store.close();
      await rm(join(files, 'catalog.sqlite'));
      store = open();
      const lease = await take();
      expect([lease.promoted, lease.cursor]).toEqual([false, cursorAt(7)]);
      expect(rowsIn(directory, 1)).toBeUndefined();
      await lease.promote();
      expect(rowsIn(directory, 1)).toMatchObject([{ total: 7 }]);
      await lease.release();
    });

    it('shows nothing of half-filled tables that a catalog from a copy calls live', async () => {
      await store.close();
      await cp(join(files, 'catalog.sqlite'), join(directory, 'copy'));
      await rm(files, { recursive: true });
      store = open();
      const half = await take();
      await fill(half, 2);
      await half.release();
      await store.close();
      await rm(join(files, 'catalog.sqlite'));
      await rename(join(directory, 'copy'), join(files, 'catalog.sqlite'));
      expect(rowsIn(directory, 1)).toBeUndefined();
      store = open();
      const lease = await take();
      expect([lease.generation, lease.promoted, lease.cursor]).toEqual([2, false, undefined]);
      await lease.release();
    });
  });

  it('shows no query the tables of another, whatever the catalog says', async () => {
    const directory = await temporary();
    const store = SqliteReadModelStore.open({ directory, projection: tally() });
    await (await acquire(store)).release();
    const file = join(directory, 'tally', 'generation-000001.sqlite');
    const other = new SqliteDatabase(file);
    other.exec(`UPDATE holdfast_projection SET name = 'other'`);
    other.close();
    expect(rowsIn(directory, 1)).toBeUndefined();
    await store.close();
    await rm(directory, { recursive: true });
  });

  it('syncs each commit to tables that became the live ones while they were being taken', async () => {
    const directory = await temporary();
    const store = SqliteReadModelStore.open({ directory, projection: tally() });
    await (await acquire(store)).release();
    const chosen = jest
      .spyOn(SqliteCatalog.prototype, 'choose')
      .mockReturnValue({ id: 1, version: 1, state: 'filling' });
    const lease = await acquire(store);
    chosen.mockRestore();
    let synchronous: unknown;
    await lease.transact(cursorAt(1), (transaction) => {
      synchronous = transaction.prepare('PRAGMA synchronous').get();
    });
    expect(synchronous).toEqual({ synchronous: 2 });
    await lease.release();
    await store.close();
    await rm(directory, { recursive: true });
  });

  it('says of a file that is no database that it is damaged', async () => {
    const directory = await temporary();
    const store = SqliteReadModelStore.open({ directory, projection: tally() });
    const lease = await acquire(store);
    await lease.release();
    await writeFile(join(directory, 'tally', 'generation-000001.sqlite'), 'x'.repeat(8_192));
    await expect(acquire(store)).rejects.toMatchObject({ code: 'READ_MODEL_DAMAGED' });
    await store.close();
    await rm(directory, { recursive: true });
  });

  it('leaves no transaction open when the tables cannot be made, and makes them at the next try', async () => {
    const directory = await temporary();
    let broken = true;
    const projection = {
      ...tally(),
      get tables() {
        return [...tally().tables, ...(broken ? ['CREATE TABLE tally (again)'] : [])];
      },
    };
    const store = SqliteReadModelStore.open({ directory, projection });
    await expect(acquire(store)).rejects.toThrow('already exists');
    broken = false;
    const lease = await acquire(store);
    expect(lease.cursor).toBeUndefined();
    await lease.release();
    await store.close();
    await rm(directory, { recursive: true });
  });

  it.each([
    [{ name: 'Bad Name' }],
    [{ name: '../elsewhere' }],
    [{ version: 0 }],
    [{ handles: [] }],
  ])('refuses a projection that cannot be: %j', async (wrong) => {
    const directory = await temporary();
    expect(() =>
      SqliteReadModelStore.open({ directory, projection: { ...tally(), ...wrong } }),
    ).toThrow(expect.objectContaining({ name: 'AssertionFailed' }));
    await rm(directory, { recursive: true });
  });
});

function cursorAt(position: number) {
  return { logId: 'the log', position: position as never, timeline: 'a'.repeat(16) };
}

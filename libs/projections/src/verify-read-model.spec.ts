import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import SqliteDatabase from 'better-sqlite3';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BadEventPolicy, ProjectionRunner } from './runner/projection-runner.js';
import { SourceFeed } from './feed/source-feed.js';
import { SqliteReadModelStore } from './store/sqlite/sqlite-read-model-store.js';
import { eventually } from './testing/eventually.js';
import { MemoryEventSource } from './testing/memory-event-source.js';
import { tally } from './testing/tally.js';
import { verifyReadModel } from './verify-read-model.js';

describe('the verification of a read model', () => {
  let directory: string;
  let scratchDirectory: string;
  let source: MemoryEventSource;
  const projection = tally();

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'holdfast-read-model-'));
    scratchDirectory = await mkdtemp(join(tmpdir(), 'holdfast-scratch-'));
    source = new MemoryEventSource();
    commit(500);
  });
  afterEach(async () => {
    expect(await readdir(scratchDirectory)).toEqual([]);
    for (const each of [directory, scratchDirectory]) await rm(each, { recursive: true });
  });

  function commit(count: number): void {
    for (let index = 0; index < count; index += 1)
      source.commit([
        { type: 'counted', stream: `s-${index % 7}`, data: { amount: index } },
        { type: 'other' },
      ]);
  }

  /** What a worker does until it is up with the log. */
  async function follow(badEvents?: BadEventPolicy): Promise<void> {
    const store = SqliteReadModelStore.open({ directory, projection });
    const feed = new SourceFeed(source);
    const runner = new ProjectionRunner({ feed, store, ...(badEvents && { badEvents }) });
    const stopping = new AbortController();
    const running = runner.run(stopping.signal);
    await eventually(() => expect(runner.status.position).toBe(source.durablePosition));
    stopping.abort();
    await running;
    await store.close();
  }

  const verify = (signal = new AbortController().signal) =>
    verifyReadModel({ source, directory, projection, scratchDirectory, signal });

  async function change(statement: string): Promise<void> {
    const [file] = (await readdir(directory, { recursive: true })).filter((name) =>
      /tally.*generation.*\.sqlite$|tally.*[0-9]+\.sqlite$/.test(name),
    );
    const database = new SqliteDatabase(join(directory, file!));
    database.exec(statement);
    database.close();
  }

  it('finds it equal to what the log makes of it, at the position where it stands, while the log goes on', async () => {
    await follow();
    commit(50);
    expect(await verify()).toEqual({
      position: 1_000,
      equal: true,
      tables: { tally: { equal: true, rows: 7, rowsExpected: 7 } },
    });
  });

  it('finds a changed value, and a row that is missing', async () => {
    await follow();
    await change(`UPDATE tally SET total = total + 1 WHERE stream = 's-3'`);
    expect(await verify()).toMatchObject({ equal: false, tables: { tally: { rows: 7 } } });
    await change(`DELETE FROM tally WHERE stream = 's-3'`);
    expect(await verify()).toEqual({
      position: 1_000,
      equal: false,
      tables: { tally: { equal: false, rows: 6, rowsExpected: 7 } },
    });
  });

  it('compares it without what waits in its quarantine, and says how much that is', async () => {
    source.commit([{ type: 'counted', stream: 's-3', data: { amount: 1, poison: true } }]);
    commit(7);
    await follow({ kind: 'quarantine', attempts: 1 });
    expect(await verify()).toMatchObject({ equal: true, leftOut: 2 });
    await change(`UPDATE tally SET total = total + 1 WHERE stream = 's-3'`);
    expect(await verify()).toMatchObject({ equal: false, leftOut: 2 });
  });

  it('refuses one of another log', async () => {
    await follow();
    const other = new MemoryEventSource();
    const signal = new AbortController().signal;
    await expect(
      verifyReadModel({ source: other, directory, projection, scratchDirectory, signal }),
    ).rejects.toMatchObject({ code: 'FEED_DIVERGED' });
  });

  it('leaves nothing behind when it is stopped, and refuses what was never made', async () => {
    await expect(verify()).rejects.toMatchObject({ code: 'READ_MODEL_NOT_READY' });
    expect(await readdir(directory)).toEqual([]);
    await follow();
    expect(await verify(AbortSignal.abort())).toBeUndefined();
  });
});

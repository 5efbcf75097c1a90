import {
  ProjectionRunner,
  SourceFeed,
  type SqlProjection,
  SqliteReadModel,
  SqliteReadModelStore,
  type SqliteTransaction,
  type ThreadRebuildOptions,
  rebuildProjection,
} from '@holdfast/projections';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type AdminReply, TestAdminService } from '../testing/admin-service.js';
import { NOTES, type NotesWriter } from '../testing/notes.js';

/** A row for each note. */
const list: SqlProjection<SqliteTransaction> = {
  name: 'list',
  version: 2,
  handles: ['NoteWritten'],
  tables: ['CREATE TABLE note (name TEXT PRIMARY KEY)'],
  apply: (events, transaction) => {
    const add = transaction.prepare('INSERT OR IGNORE INTO note VALUES (?)');
    for (const { stream } of events) add.run(stream);
  },
};
type Rebuild = (options: ThreadRebuildOptions) => Promise<boolean>;

describe('projections over the admin API', () => {
  let service: TestAdminService;
  let directory: string;
  /** Of the next rebuild; in the tests' own thread. */
  let rebuild: Rebuild | undefined;
  let stopWorkers: (() => Promise<void>)[];

  const operated = (writer: NotesWriter, readModelDirectory: string) => {
    directory = readModelDirectory;
    rebuild = async ({ signal, onProgress }) => {
      const feed = new SourceFeed(writer.log);
      const store = openStore(list);
      try {
        return await rebuildProjection({ feed, store, onProgress, signal });
      } finally {
        await feed.close();
        await store.close();
      }
    };
    const { name, version } = list;
    const projection = {
      ...{ name, version },
      openStore: () => openStore(list),
      rebuild: (options: ThreadRebuildOptions) => rebuild!(options),
    };
    const inMain = { name: 'in-main', version: 1, openStore: () => openStore(inMainOf(list)) };
    return { ...NOTES, projections: [projection, inMain] };
  };
  const inMainOf = (of: typeof list) => ({ ...of, name: 'in-main', version: 1 });
  const openStore = (projection: typeof list) =>
    SqliteReadModelStore.open({ directory, projection });

  beforeEach(async () => {
    stopWorkers = [];
    service = await TestAdminService.start({ service: operated });
    await service.fill(3);
  });
  afterEach(async () => {
    for (const stop of stopWorkers) await stop();
    await service.stop();
  });

  /** Keeps a projection up, as a worker elsewhere does. */
  const follow = async (projection = list, owner = 'the worker') => {
    const feed = new SourceFeed(service.writer.log, { heartbeatMillis: 20 });
    const store = openStore(projection);
    const runner = new ProjectionRunner({ feed, store, owner });
    const stopping = new AbortController();
    const ended = runner.run(stopping.signal);
    const stop = async () => {
      stopping.abort();
      await ended;
      await feed.close();
      await store.close();
    };
    stopWorkers.push(stop);
    expect(await runner.waitFor(service.writer.log.durablePosition, 5_000)).toBe(true);
    return { runner, stop };
  };
  const listed = async () => {
    const { body } = await service.send('GET', '/admin/projections');
    return (body['items'] as readonly object[])[0] as {
      readonly generations: readonly { readonly generation: number; readonly position: number }[];
    };
  };
  const post = (path: string, body?: object) =>
    service.send('POST', `/admin/projections/${path}`, body);
  const problemOf = ({ status, body }: AdminReply) => [status, body['type']];
  const rows = () => {
    const model = SqliteReadModel.open({ directory, projection: list });
    try {
      return model.read((now) => now.prepare('SELECT * FROM note').all().length);
    } finally {
      model.close();
    }
  };

  it('are listed with the tables of every version, who keeps them up, and how far they are behind', async () => {
    expect(await listed()).toEqual({ name: 'list', version: 2, paused: false, generations: [] });
    const older = await follow({ ...list, version: 1 }, 'an older worker');
    await follow();
    await older.stop();
    await service.fill(2);
    expect(await listed()).toMatchObject({
      generations: [
        { generation: 1, version: 1, state: 'live', promotedAt: expect.stringMatching(/Z$/) },
        { generation: 2, version: 2, state: 'live', owner: 'the worker' },
      ],
    });
    const [first] = (await listed()).generations;
    expect(first).toEqual({
      ...{ generation: 1, version: 1, state: 'live', promotedAt: expect.any(String) },
      ...{ position: 3, eventsBehind: 2 },
    });
  });

  it('are rebuilt by a job, while their worker goes on', async () => {
    const { runner } = await follow();
    const begun = await post('list/rebuild');
    expect([begun.status, begun.body['kind']]).toEqual([202, 'rebuild-list']);
    expect(await service.jobOf(begun)).toMatchObject({
      state: 'succeeded',
      result: { projection: 'list', version: 2, generation: 2, position: 3 },
      progress: { done: 3, total: 3, unit: 'positions' },
    });
    await service.fill(1);
    expect(await runner.waitFor(4 as never, 5_000)).toBe(true);
    expect([runner.status.generation, rows()]).toEqual([2, 4]);
  });

  it('are rebuilt by one job at a time, which is cancelled, fails, and goes on where it was', async () => {
    await follow();
    const { promise: begun, resolve: begins } = Promise.withResolvers<undefined>();
    const whole = rebuild!;
    rebuild = async ({ signal }) => {
      const store = openStore(list);
      const lease = (await store.acquire({ owner: 'rebuilding', target: 'fresh', signal }))!;
      begins(undefined);
      while (!signal.aborted) await setTimeout(2);
      await lease.release();
      await store.close();
      return false;
    };
    const first = await post('list/rebuild');
    await begun;
    expect(problemOf(await post('list/rebuild'))).toEqual([409, '/problems/rebuild-running']);
    expect((await listed()).generations).toMatchObject([
      { owner: 'the worker' },
      { state: 'filling', position: 0, eventsBehind: 3, owner: 'rebuilding' },
    ]);
    await service.send('POST', `/admin/jobs/${String(first.body['id'])}/cancel`);
    expect(await service.jobOf(first)).toMatchObject({ state: 'cancelled' });
    rebuild = () => Promise.reject(Object.assign(new Error('bad'), { code: 'PROJECTION_FAILED' }));
    expect(await service.jobOf(await post('list/rebuild'))).toMatchObject({
      state: 'failed',
      problem: { code: 'PROJECTION_FAILED', message: 'bad' },
    });
    rebuild = whole;
    expect(await service.jobOf(await post('list/rebuild'))).toMatchObject({
      state: 'succeeded',
      result: { generation: 2 },
    });
  });

  it('lose tables only to who gives the name twice, and begin others', async () => {
    const { runner } = await follow();
    const drop = (generation: number | string, confirm = 'list') =>
      post(`list/generations/${generation}/drop`, { confirm });
    expect(problemOf(await drop(1, 'lists'))).toEqual([422, '/problems/confirmation-missing']);
    expect(problemOf(await drop(7))).toEqual([404, '/problems/generation-not-found']);
    expect(problemOf(await drop('all'))).toEqual([400, '/problems/invalid-request']);
    expect(await drop(1)).toMatchObject({
      status: 200,
      body: { generation: 1, state: 'live', position: 3 },
    });
    expect(problemOf(await drop(1))).toEqual([404, '/problems/generation-not-found']);
    await service.fill(1);
    expect(await runner.waitFor(4 as never, 5_000)).toBe(true);
    expect((await listed()).generations).toMatchObject([{ generation: 2, position: 4 }]);
    const said = service.lines.map(({ msg }) => msg);
    expect(said).toContain('a generation of a read model was dropped');
  });

  it('are paused, and resumed', async () => {
    const { runner } = await follow();
    const paused = await post('list/pause');
    expect(paused).toMatchObject({ status: 200, body: { name: 'list', paused: true } });
    while (runner.status.state !== 'paused') await setTimeout(2);
    await service.fill(1);
    expect(await listed()).toMatchObject({ paused: true, generations: [{ eventsBehind: 1 }] });
    expect(rows()).toBe(3);
    expect(await post('list/resume')).toMatchObject({ status: 200, body: { paused: false } });
    expect(await runner.waitFor(4 as never, 5_000)).toBe(true);
  });

  it('are told of also when one of them cannot be looked at', async () => {
    const { stop } = await follow();
    await stop();
    await writeFile(join(directory, 'list', 'catalog.sqlite'), 'x'.repeat(8_192));
    const { body } = await service.send('GET', '/admin/projections');
    expect(body['items']).toMatchObject([
      { name: 'list', generations: [], fault: expect.stringContaining('damaged') },
      { name: 'in-main', generations: [] },
    ]);
    expect((await post('list/pause')).status).toBe(503);
  });

  it('say why nothing can be done with those that are not here, or not in a thread', async () => {
    for (const verb of ['rebuild', 'pause', 'resume']) {
      expect(problemOf(await post(`none/${verb}`))).toEqual([
        ...[404, '/problems/projection-not-found'],
      ]);
      expect(problemOf(await post(`list/${verb}`))).toEqual([
        ...[409, '/problems/read-model-not-here'],
      ]);
    }
    expect(existsSync(directory)).toBe(false);
    await follow(inMainOf(list));
    expect(problemOf(await post('in-main/rebuild'))).toEqual([
      ...[409, '/problems/rebuild-unsupported'],
    ]);
  });
});

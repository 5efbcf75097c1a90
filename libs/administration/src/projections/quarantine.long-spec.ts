import {
  ProjectionRunner,
  SourceFeed,
  type SqlProjection,
  SqliteReadModelStore,
  type SqliteTransaction,
} from '@holdfast/projections';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { setTimeout } from 'node:timers/promises';
import { type AdminReply, TestAdminService } from '../testing/admin-service.js';
import { NOTES, type NotesWriter } from '../testing/notes.js';

/** Cannot apply the first note; every other is of the same book, or of one of its own. */
const faulty: SqlProjection<SqliteTransaction> = {
  name: 'list',
  version: 1,
  handles: ['NoteWritten'],
  tables: ['CREATE TABLE note (position INTEGER PRIMARY KEY)'],
  touches: ({ position }) => (position <= 2 ? ['the book'] : []),
  apply: (events, transaction) => {
    if (events.some(({ position }) => position === 1)) throw new Error('no such ink');
    const add = transaction.prepare('INSERT INTO note VALUES (?)');
    for (const { position } of events) add.run(position);
  },
};

describe('the quarantine over the admin API', () => {
  let service: TestAdminService;
  let directory: string;
  let stopWorker: () => Promise<void>;

  const operated = (_: NotesWriter, readModelDirectory: string) => {
    directory = readModelDirectory;
    const { name, version } = faulty;
    const openStore = () => SqliteReadModelStore.open({ directory, projection: faulty });
    return { ...NOTES, projections: [{ name, version, openStore }] };
  };

  beforeEach(async () => {
    service = await TestAdminService.start({ service: operated });
    await service.fill(3);
    const feed = new SourceFeed(service.writer.log, { heartbeatMillis: 20 });
    const store = SqliteReadModelStore.open({ directory, projection: faulty });
    const badEvents = { kind: 'quarantine', attempts: 1 } as const;
    const runner = new ProjectionRunner({ feed, store, badEvents });
    const stopping = new AbortController();
    const ended = runner.run(stopping.signal);
    stopWorker = async () => {
      stopping.abort();
      await ended;
      await feed.close();
      await store.close();
    };
    expect(await runner.waitFor(service.writer.log.durablePosition, 5_000)).toBe(true);
  });
  afterEach(async () => {
    await stopWorker();
    await service.stop();
  });

  const at = (path: string) => `/admin/projections/${path}`;
  const get = (path: string) => service.send('GET', at(path));
  const post = (path: string, body: object) => service.send('POST', at(path), body);
  const problemOf = ({ status, body }: AdminReply) => [status, body['type']];
  const settled = async (isSettled: (body: AdminReply['body']) => boolean) => {
    for (;;) {
      const { body } = await get('list/quarantine');
      if (isSettled(body)) return body;
      await setTimeout(5);
    }
  };

  it('says what waits, why and behind what, with the events', async () => {
    const since = expect.stringMatching(/Z$/);
    const tables = { generation: 1, version: 1, state: 'live' };
    const first = {
      ...{ ...tables, position: 1, events: 1, attempts: 1, error: 'no such ink', since },
      keys: [expect.any(String), 'the book'],
    };
    expect(await get('list/quarantine')).toMatchObject({
      status: 200,
      body: {
        ...{ projection: 'list', releasesPending: 0, skipped: [] },
        items: [first, { ...tables, position: 2, attempts: 0, behind: 1 }],
      },
    });
    expect(await get('list/quarantine/1')).toMatchObject({
      status: 200,
      body: { items: [first], events: [{ position: 1, type: 'NoteWritten', endsCommit: true }] },
    });
    expect((await service.send('GET', '/admin/projections')).body['items']).toMatchObject([
      { generations: [{ position: 3, eventsBehind: 0, quarantinedEvents: 2 }] },
    ]);
  });

  it('has what was refused tried again', async () => {
    expect(await post('list/quarantine/release', {})).toMatchObject({
      status: 202,
      body: { projection: 'list' },
    });
    const body = await settled(({ releasesPending }) => releasesPending === 0);
    expect(body['items']).toMatchObject([{ position: 1, attempts: 2 }, { position: 2 }]);
  });

  it('leaves a commit out for a reason, and keeps the record', async () => {
    const decision = { by: 'alice', reason: 'nobody can read it' };
    expect((await post('list/quarantine/1/skip', decision)).status).toBe(202);
    const body = await settled(({ items }) => (items as readonly unknown[]).length === 0);
    const skipped = { ...decision, position: 1, events: 1, error: 'no such ink' };
    expect(body['skipped']).toMatchObject([skipped]);
    expect((await get('list/quarantine/1')).body).toMatchObject({
      ...{ items: [], skipped },
      events: [{ position: 1 }],
    });
    expect(service.lines.map(({ msg }) => msg)).toContain('a commit in the quarantine is skipped');
  });

  it('says why a commit cannot be released, skipped or shown', async () => {
    const decision = { by: 'alice', reason: 'why not' };
    for (const [reply, problem] of [
      [post('list/quarantine/release', { position: 2 }), [409, 'commit-only-waits']],
      [post('list/quarantine/2/skip', decision), [409, 'commit-only-waits']],
      [post('list/quarantine/release', { position: 3 }), [404, 'commit-not-quarantined']],
      [post('list/quarantine/3/skip', decision), [404, 'commit-not-quarantined']],
      [get('list/quarantine/3'), [404, 'commit-not-quarantined']],
      [get('none/quarantine'), [404, 'projection-not-found']],
      [get('list/quarantine/first'), [400, 'invalid-request']],
      [post('list/quarantine/1/skip', { by: 'alice' }), [400, 'invalid-request']],
      [post('list/quarantine/release', { position: 0 }), [400, 'invalid-request']],
    ] as const)
      expect(problemOf(await reply)).toEqual([problem[0], `/problems/${problem[1]}`]);
  });
});

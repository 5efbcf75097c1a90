import { Upcasters } from '@holdfast/event-store';
import { ledgerEventSchemas } from '@holdfast/ledger';
import { ledgerProjection } from '@holdfast/ledger-service';
import { DirectoryFeed, SqliteReadModelStore } from '@holdfast/projections';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout } from 'node:timers/promises';
import { AdminApi } from '../../support/admin-api.js';
import { readModelDigest } from '../../support/read-models.js';
import { Services } from '../../support/services.js';

const LEDGERS = 40;
/** Some programs are started one after the other. */
const TEST_MILLIS_MAX = 300_000;

interface Tables {
  readonly generation: number;
  readonly state: string;
  readonly position: number;
}

describe('the projections of a service that runs', () => {
  let services: Services;
  let admin: AdminApi;
  let opened = 0;

  beforeAll(async () => {
    services = await Services.prepare();
    admin = new AdminApi(services.admin);
    await services.start('holdfast');
    for (let number = 0; number < LEDGERS; number += 1) await open();
  }, TEST_MILLIS_MAX);
  afterAll(() => services.remove());

  /** One event each. */
  async function open(): Promise<void> {
    const path = `${services.front}/v1/ledgers/l${opened}`;
    opened += 1;
    expect((await fetch(path, { method: 'PUT' })).status).toBe(201);
  }

  const queried = async (ledger: number): Promise<number> =>
    (await fetch(`${services.front}/v1/ledgers/l${ledger}`)).status;

  const digest = () => readModelDigest(services.readModelDirectory, opened);

  async function tables(): Promise<readonly Tables[]> {
    const { body } = await admin.get('/admin/projections');
    return (body['items'] as readonly { generations: Tables[] }[])[0]!.generations;
  }

  async function cli(...given: readonly string[]): Promise<{ code: number; output: string }> {
    const child = services.cli(['projections', ...given]);
    const { code } = await child.exited;
    return { code: code ?? -1, output: child.output };
  }

  /** As a rebuild leaves them that was killed: with the first events, and nobody who fills them. */
  async function halfFill(): Promise<number> {
    const directory = services.readModelDirectory;
    const store = SqliteReadModelStore.open({ directory, projection: ledgerProjection });
    const leaving = new AbortController();
    const { signal } = leaving;
    const lease = (await store.acquire({ owner: 'killed', target: 'fresh', signal }))!;
    const feed = new DirectoryFeed(services.walDirectory, {
      upcasters: new Upcasters(ledgerEventSchemas),
    });
    for await (const { events, cursor } of feed.open({ from: undefined, batchEvents: 7, signal })) {
      await lease.transact(cursor, (transaction) => ledgerProjection.apply(events, transaction));
      if (cursor.position >= 7) break;
    }
    leaving.abort();
    await lease.release();
    await feed.close();
    await store.close();
    return lease.generation;
  }

  async function untilState(state: string): Promise<void> {
    for (;;) {
      const answer = await fetch(`${services.front}/health/ready`);
      const { facts } = (await answer.json()) as { facts: Record<string, unknown> };
      if (facts['projectionState'] === state) {
        expect(answer.status).toBe(200);
        return;
      }
      await setTimeout(20);
    }
  }

  it(
    'are rebuilt while queries and commands go on, from what a killed rebuild has left',
    async () => {
      const generation = await halfFill();
      expect(await tables()).toMatchObject([
        { generation: 1, state: 'live' },
        { generation, state: 'filling', position: 7 },
      ]);
      const before = opened - 1;
      const rebuilding = cli('rebuild', 'ledger', '--json', '--url', services.admin);
      let ended = false;
      void rebuilding.then(() => (ended = true));
      const goesOn = () => !ended;
      while (goesOn()) {
        expect(await queried(before)).toBe(200);
        await open();
        await setTimeout(20);
      }
      const { code, output } = await rebuilding;
      expect([code, JSON.parse(output)]).toMatchObject([0, { projection: 'ledger', generation }]);
      const taken = await digest();
      expect(await tables()).toMatchObject([{ generation, state: 'live' }]);
      // From the first event, with nothing taken up: the same rows.
      expect(await admin.work('/admin/projections/ledger/rebuild')).toMatchObject({
        state: 'succeeded',
        result: { generation: generation + 1 },
      });
      expect(await digest()).toBe(taken);
      // Its floor has moved on with it.
      expect((await admin.floors()).has('projection:ledger')).toBe(true);
    },
    TEST_MILLIS_MAX,
  );

  it(
    'apply nothing while they are paused, over a kill too, and are no red health',
    async () => {
      expect((await admin.post('/admin/projections/ledger/pause')).status).toBe(200);
      await untilState('paused');
      await open();
      const last = opened - 1;
      await services.crash('holdfast');
      await services.start('holdfast');
      await untilState('paused');
      expect([await queried(last), await queried(last - 1)]).toEqual([404, 200]);
      expect((await admin.post('/admin/projections/ledger/resume')).status).toBe(200);
      await digest();
      expect(await queried(last)).toBe(200);
    },
    TEST_MILLIS_MAX,
  );

  it(
    'lose tables to who gives the name twice, and are listed and rebuilt where no service runs',
    async () => {
      const rows = await digest();
      const [{ generation }] = (await tables()) as [Tables];
      const path = `/admin/projections/ledger/generations/${generation}/drop`;
      expect((await admin.post(path, { confirm: 'general' })).status).toBe(422);
      expect((await admin.post(path, { confirm: 'ledger' })).status).toBe(200);
      expect(await digest()).toBe(rows);
      await services.end('holdfast', 'SIGTERM');
      const data = ['--data', services.dataDirectory];
      const listed = await cli('list', ...data);
      expect([listed.code, listed.output]).toEqual([
        0,
        expect.stringMatching(new RegExp(`^ledger +\\d+ +1 +live +${opened} +0 `, 'm')),
      ]);
      const rebuilt = await cli('rebuild', 'ledger', '--json', ...data);
      expect([rebuilt.code, JSON.parse(rebuilt.output)]).toMatchObject([0, { position: opened }]);
      expect(await digest()).toBe(rows);
    },
    TEST_MILLIS_MAX,
  );
});

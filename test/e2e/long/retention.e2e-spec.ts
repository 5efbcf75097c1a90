import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AdminApi } from '../../support/admin-api.js';
import { Journal } from '../../support/journal.js';
import { JournalingClient } from '../../support/journaling-client.js';
import { LedgerTraffic } from '../../support/ledger-traffic.js';
import { checkLog, checkMoney } from '../../support/money-check.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { Services } from '../../support/services.js';

const SEGMENT_BYTES = 256 * 1024;
const EXIT_DATA = 65;
const PATIENCE_MILLIS = 30_000;
const SMALL = {
  HOLDFAST_WAL_SEGMENT_BYTES: '256KiB',
  HOLDFAST_WAL_FRAME_BYTES_MAX: '64KiB',
  HOLDFAST_RETENTION_LIVE_EVENTS_MIN: '0',
  HOLDFAST_RETENTION_LIVE_MINUTES_MIN: '0',
};

async function until(holds: () => Promise<boolean>): Promise<boolean> {
  const givingUpAt = performance.now() + PATIENCE_MILLIS;
  while (!(await holds())) {
    if (performance.now() > givingUpAt) return false;
    await setTimeout(100);
  }
  return true;
}

describe('a log whose old events go to the archive, under traffic and deaths', () => {
  const journal = new Journal('main');
  const random = SeededRandom.announced('retention');
  let services: Services;
  let client: JournalingClient;
  let admin: AdminApi;
  let traffic: LedgerTraffic;

  beforeAll(async () => {
    services = await Services.start({
      ...SMALL,
      // What comes after the last checkpoint stays, and here a minute of it would be most of the log.
      HOLDFAST_CHECKPOINT_SECONDS: '1',
      HOLDFAST_RETENTION_POLICY: 'archive',
      HOLDFAST_RETENTION_INTERVAL_SECONDS: '1',
    });
    client = new JournalingClient(services.front, journal);
    admin = new AdminApi(services.admin);
    traffic = new LedgerTraffic(client, random);
    await traffic.begin();
  });

  afterAll(async () => {
    await client.close();
    await services.remove();
  });

  const liveBytes = async () => Number((await admin.get('/admin/log')).body['liveBytes']);
  /** The growing segment, the last one that was archived, and one that has been sealed just now. */
  const bound = 4 * SEGMENT_BYTES;

  it('holds its live part within bounds, loses nothing, and a read model can still be made from the first event on', async () => {
    const faults: string[] = [];
    for (let round = 0; round < 6; round += 1) {
      const sending = traffic.transfer(1_500);
      await setTimeout(random.between(300, 1_500));
      await services.crash('command-service');
      if (round % 3 === 2) await services.crash('projection-worker');
      await services.start('command-service');
      if (round % 3 === 2) await services.start('projection-worker');
      await sending;
      faults.push(...(await checkLog(services, journal)).faults);
    }
    expect(faults).toEqual([]);
    expect(await until(async () => (await liveBytes()) <= bound)).toBe(true);
    const { body } = await admin.get('/admin/log');
    expect(body).toMatchObject({ firstPosition: 1 });
    expect(Number(body['archivedSegments'])).toBeGreaterThan(8);
    const { position } = await checkMoney(services, client);
    expect(position).toBeGreaterThan(9_000);
  }, 480_000);

  it('opens without its state too: that is made anew from the archive', async () => {
    await services.end('command-service', 'SIGTERM');
    rmSync(join(services.dataDirectory, 'state'), { recursive: true });
    rmSync(join(services.dataDirectory, 'snapshots'), { recursive: true, force: true });
    await services.start('command-service');
    await checkMoney(services, client);
  }, 120_000);
});

describe('a log whose old events go for good once two snapshots cover them', () => {
  const journal = new Journal('main');
  let services: Services;
  let client: JournalingClient;
  let admin: AdminApi;
  let traffic: LedgerTraffic;

  beforeAll(async () => {
    services = await Services.start({ ...SMALL, HOLDFAST_RETENTION_POLICY: 'snapshots' });
    client = new JournalingClient(services.front, journal);
    admin = new AdminApi(services.admin);
    traffic = new LedgerTraffic(client, SeededRandom.announced('snapshots'));
    await traffic.begin();
  });

  afterAll(async () => {
    await client.close();
    await services.remove();
  });

  it('goes on from its state, and answers what was answered before', async () => {
    await traffic.transfer(4_000);
    for (let snapshot = 0; snapshot < 2; snapshot += 1) {
      expect(await admin.work('/admin/snapshots')).toMatchObject({ state: 'succeeded' });
      await traffic.transfer(200);
    }
    expect(await until(async () => (await admin.floors()).has('projection:ledger'))).toBe(true);
    await until(async () => {
      const floor = (await admin.floors()).get('projection:ledger');
      return (floor?.position ?? 0) > 4_000;
    });
    const job = await admin.work('/admin/retention/apply');
    const { removal } = job['result'] as { removal: { segments: object[] } };
    expect(removal.segments.length).toBeGreaterThan(2);
    const first = Number((await admin.get('/admin/log')).body['firstPosition']);
    expect(first).toBeGreaterThan(2_000);
    await services.crash('command-service');
    await services.start('command-service');
    await traffic.transfer(100);
    expect(existsSync(join(services.dataDirectory, 'archive'))).toBe(false);
    expect(
      readdirSync(services.walDirectory).filter((name) => name.endsWith('.wal')).length,
    ).toBeLessThan(8);
  }, 300_000);

  it('refuses to make a read model that would lack the beginning, and says so', async () => {
    await services.end('projection-worker', 'SIGTERM');
    rmSync(services.readModelDirectory, { recursive: true });
    const refused = services.spawn('projection-worker');
    expect((await refused.exited).code).toBe(EXIT_DATA);
    expect(refused.output).toContain('FEED_COMPACTED');
    expect(refused.output).toContain('archive');
  }, 60_000);

  it('tells a repeated command of long ago that it was decided, and applies nothing', async () => {
    const [entry] = journal.entries.filter(({ type }) => type === 'PostTransfer');
    const answer = await fetch(`${services.front}/v1/ledgers/main/transfers`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': entry!.key },
      body: JSON.stringify(entry!.body),
    });
    expect([answer.status, await answer.json()]).toMatchObject([
      410,
      { type: '/problems/answer-removed' },
    ]);
  });
});

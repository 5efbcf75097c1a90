import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { rmSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { type Position, Upcasters, stateDigestAt } from '@holdfast/event-store';
import { evolve, ledgerEventSchemas } from '@holdfast/ledger';
import { LedgerWriter } from '@holdfast/ledger-service';
import { BEFORE_FIRST, type LogSource, type Sequence, WalReader } from '@holdfast/wal';
import { ArchiveDirectory } from '@holdfast/wal/maintenance';
import { AdminApi } from '../../support/admin-api.js';
import { Journal } from '../../support/journal.js';
import { JournalingClient } from '../../support/journaling-client.js';
import { LedgerTraffic } from '../../support/ledger-traffic.js';
import { auditLog } from '../../support/log-audit.js';
import { checkLog, checkMoney, checkTrialBalance } from '../../support/money-check.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { Services } from '../../support/services.js';

const RESTORES = 10;
const DEATHS = 3;
const SMALL = {
  HOLDFAST_WAL_SEGMENT_BYTES: '256KiB',
  HOLDFAST_WAL_FRAME_BYTES_MAX: '64KiB',
  HOLDFAST_RETENTION_POLICY: 'archive',
  HOLDFAST_RETENTION_LIVE_EVENTS_MIN: '0',
  HOLDFAST_RETENTION_LIVE_MINUTES_MIN: '0',
  HOLDFAST_RETENTION_INTERVAL_SECONDS: '1',
};

/** Over the bytes of every record up to a position. */
async function digestUpTo(log: LogSource, position: number): Promise<number> {
  let digest = 0;
  await log.scan(
    BEFORE_FIRST,
    (_sequence, buffer, start, end) => {
      digest = crc32(buffer.subarray(start, end), digest);
    },
    position as Sequence,
  );
  return digest;
}

describe('a backup that is made under full load', () => {
  const journal = new Journal('main');
  const random = SeededRandom.announced('backup');
  const enough = new AbortController();
  let services: Services;
  let client: JournalingClient;
  let admin: AdminApi;
  let traffic: LedgerTraffic;
  let sending: Promise<void>;

  beforeAll(async () => {
    services = await Services.start(SMALL);
    client = new JournalingClient(services.front, journal);
    admin = new AdminApi(services.admin);
    traffic = new LedgerTraffic(client, random);
    await traffic.begin();
    await traffic.transfer(3_000);
    sending = send();
  });

  afterAll(async () => {
    enough.abort();
    await sending;
    await client.close();
    await services.remove();
  });

  async function send(): Promise<void> {
    while (!enough.signal.aborted) {
      await traffic.transfer(100);
      // Some two thousand a second are load enough, and what the audits have to read stays small.
      await setTimeout(50);
    }
  }

  const backup = () => join(services.directory, 'backup');
  const backUp = () => admin.work('/admin/backups', { directory: backup() });
  const cli = async (...line: readonly string[]) => {
    const child = services.cli(line);
    const exit = await child.exited;
    return { code: exit.code, report: JSON.parse(child.stdout) as Record<string, number> };
  };

  it('is whole, and the second time copies only what is new', async () => {
    const first = (await backUp())['result'] as Record<string, number>;
    expect(first['firstSequence']).toBe(1);
    expect(first['copiedSegments']).toBeGreaterThan(3);
    await setTimeout(500);
    const second = (await backUp())['result'] as Record<string, number>;
    expect(second['lastSequence']).toBeGreaterThan(first['lastSequence']!);
    // The last one of the first time may have grown since.
    const kept = second['segments']! - second['copiedSegments']!;
    expect(kept).toBeGreaterThanOrEqual(first['copiedSegments']!);
    const { code, report } = await cli('backup', 'verify', backup(), '--json');
    expect([code, report]).toMatchObject([
      0,
      { sound: true, lastSequence: second['lastSequence'] },
    ]);
  }, 60_000);

  it('survives the death of the service while it is made, and goes on', async () => {
    for (let death = 0; death < 3; death += 1) {
      await admin.post('/admin/backups', { directory: backup() });
      await setTimeout(random.between(0, 60));
      await services.crash('command-service');
      expect((await cli('backup', 'verify', backup(), '--json')).report).toMatchObject({
        sound: true,
      });
      await services.start('command-service');
    }
    expect(await backUp()).toMatchObject({ state: 'succeeded' });
  }, 240_000);

  it('restores to any position, to the byte, with the state of that position', async () => {
    const { report: held } = await cli('backup', 'verify', backup(), '--json');
    const archive = ArchiveDirectory.open(join(services.dataDirectory, 'archive'));
    const original = await WalReader.open(services.walDirectory, { archive });
    for (let restore = 0; restore < RESTORES; restore += 1) {
      const position = random.between(1, held['lastSequence']!);
      const target = join(services.directory, `restored-${restore}`);
      const line = ['restore', backup(), target, '--to-position', String(position), '--json'];
      const { code, report } = await cli(...line);
      // A command is one commit of one event here, so every position is a boundary.
      expect([code, report['lastSequence']]).toEqual([0, position]);
      // As a service opens it: readers see what a writer has promised, and nobody has written this log yet.
      const restored = await LedgerWriter.open(join(target, 'wal'), {
        state: { directory: join(target, 'state') },
      });
      const { digest, entries } = await restored.log.checkpoint();
      expect([restored.log.lastPosition, await digestUpTo(restored.log.wal, position)]).toEqual([
        position,
        await digestUpTo(original, position),
      ]);
      await restored.close();
      const replayed = stateDigestAt(original, position as Position, {
        evolve,
        upcasters: new Upcasters(ledgerEventSchemas),
      });
      expect(await replayed).toMatchObject({ digest, entries });
      expect(await auditLog(join(target, 'wal'), 'main')).toMatchObject({ position, faults: [] });
      rmSync(target, { recursive: true });
    }
    await original.close();
    await archive.close();
  }, 480_000);

  it('makes a ledger that goes on by itself, with books that balance', async () => {
    const directory = join(services.directory, 'restored');
    const { code, report } = await cli('restore', backup(), directory, '--json');
    expect(code).toBe(0);
    const other = await Services.prepare({ ...SMALL, HOLDFAST_DATA_DIRECTORY: directory });
    try {
      await other.start('holdfast');
      const audit = await auditLog(join(directory, 'wal'), 'main');
      expect(audit).toMatchObject({ position: report['lastSequence'], faults: [] });
      const fresh = new JournalingClient(other.front, new Journal('main'));
      await checkTrialBalance(fresh, audit);
      await new LedgerTraffic(fresh, random, 2).begin().catch(() => undefined);
      await fresh.close();
      const proof = services.cli(['state', 'verify', '--data', directory, '--json']);
      expect((await proof.exited).code).toBe(0);
      expect(JSON.parse(proof.stdout)).toMatchObject({ sound: true, complete: true });
    } finally {
      await other.remove();
    }
  }, 240_000);

  it('loses nothing of the service that it was made of, which dies in the middle of any other work too', async () => {
    for (let death = 0; death < DEATHS; death += 1) {
      for (const path of ['/admin/snapshots', '/admin/archive', '/admin/retention/apply'])
        await admin.post(path);
      await admin.post('/admin/checkpoints');
      await setTimeout(random.between(0, 150));
      await services.crash('command-service');
      await services.start('command-service');
      expect((await checkLog(services, journal)).faults).toEqual([]);
    }
    enough.abort();
    await sending;
    for (const path of ['/admin/snapshots', '/admin/retention/apply', '/admin/state/verify'])
      expect(await admin.work(path)).toMatchObject({ state: 'succeeded' });
    await checkMoney(services, client);
  }, 480_000);

  it('forgets its jobs when it dies, and says so', async () => {
    const started = await admin.post('/admin/log/scrub', { bytesPerSecond: 1024 * 1024 });
    const path = started.headers.get('location') ?? '';
    const cancelled = services.cli(['jobs', '--url', services.admin, '--cancel', path.slice(12)]);
    expect((await cancelled.exited).code).toBe(0);
    expect((await admin.ended(started)).state).toBe('cancelled');
    await services.crash('command-service');
    await services.start('command-service');
    expect(await admin.get(path)).toMatchObject({
      status: 404,
      body: { type: '/problems/job-not-found' },
    });
  }, 60_000);
});

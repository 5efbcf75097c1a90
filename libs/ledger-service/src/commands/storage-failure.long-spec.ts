import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorCode } from '@holdfast/kernel';
import { ExitCode, ServiceLifecycle, createLogger } from '@holdfast/platform';
import { afterEach, describe, expect, it } from '@jest/globals';
import { LEDGER_EXIT_CODES } from '../shared/ledger-exit-codes.js';
import { openLedgerWriter } from '../write-side/open-ledger-writer.js';
import { TestCommandService } from './testing/command-service.js';
import { FaultyDisk } from './testing/faulty-disk.js';
import { LEDGER, openWorld, transfer } from './testing/world.js';

let service: TestCommandService;
let disk: FaultyDisk;

async function start(wal: object = {}): Promise<void> {
  disk = new FaultyDisk();
  service = await TestCommandService.start({
    wal: { fileSystem: disk, ioMode: 'asynchronous', ...wal },
  });
  await openWorld(service);
}

afterEach(async () => {
  disk.release();
  await service.stopAndRemove();
  await disk.close();
});

const post = (key: string, amount = '1') =>
  service.send('POST', `${LEDGER}/transfers`, { key, body: transfer('alice', 'bob', amount) });

async function untilInFlight(events: number): Promise<void> {
  const { log } = service.writer;
  while (log.lastPosition - log.durablePosition < events)
    await new Promise((resolve) => setTimeout(resolve, 1));
}

describe('a disk whose sync fails', () => {
  it('leaves what is in flight unknown, and refuses all that comes later as not applied', async () => {
    await start();
    disk.hold();
    const inFlight = [post('a'), post('b', '99999')];
    await untilInFlight(2);
    disk.fail();
    for (const reply of await Promise.all(inFlight)) {
      expect(reply.body).toMatchObject({
        type: '/problems/storage-unavailable',
        status: 503,
        outcome: 'unknown',
      });
      expect(reply.headers.get('retry-after')).toBe('5');
    }
    await expect(service.writer.failed).resolves.toMatchObject({ code: 'WAL_POISONED' });

    expect((await post('c')).body).toMatchObject({
      type: '/problems/storage-unavailable',
      status: 503,
      outcome: 'not-applied',
    });
    // Nobody can know whether these two survive, so nobody says that they do not.
    expect((await post('a')).body).toMatchObject({ status: 503, outcome: 'unknown' });
    const found = await service.send('GET', `${LEDGER}/commands/b`);
    expect(found.body).toMatchObject({ status: 503, outcome: 'unknown' });
    // What was durable before still is.
    expect((await service.send('GET', `${LEDGER}/commands/fund-alice`)).status).toBe(200);
    const replay = await service.send('POST', `${LEDGER}/transfers`, {
      key: 'fund-alice',
      body: transfer('world', 'alice', '1000'),
    });
    expect([replay.status, replay.headers.get('idempotency-replayed')]).toEqual([201, 'true']);
  });

  it('turns readiness red with the reason, and leaves liveness green', async () => {
    await start();
    expect((await service.send('GET', '/health/ready')).body).toEqual({
      ready: true,
      checks: { clock: 'ok', log: 'ok', scrubbing: 'ok' },
      facts: {
        logId: service.writer.log.logId,
        durablePosition: service.lastPosition,
        logTimeline: service.writer.log.newestTimeline,
        logTimelines: `${service.writer.log.newestTimeline}@1`,
      },
    });
    disk.fail();
    await post('a');
    const ready = await service.send('GET', '/health/ready');
    expect([ready.status, ready.body['ready']]).toEqual([503, false]);
    expect(ready.body['checks']).toMatchObject({ log: expect.stringMatching(/^WAL_POISONED: /) });
    expect((await service.send('GET', '/health/live')).status).toBe(200);
  });

  it('tells each item of a bulk what is known of it', async () => {
    await start();
    disk.hold();
    const items = ['fund-alice', 'x', 'y'].map((key) => ({
      type: 'PostTransfer',
      idempotencyKey: key,
      body:
        key === 'fund-alice' ? transfer('world', 'alice', '1000') : transfer('alice', 'bob', '1'),
    }));
    const reply = service.send('POST', `${LEDGER}/bulk`, { body: { commands: items } });
    await untilInFlight(2);
    disk.fail();
    expect((await reply).body['results']).toMatchObject([
      { status: 201, headers: { 'Idempotency-Replayed': 'true' } },
      { status: 503, body: { outcome: 'unknown' }, headers: { 'Retry-After': '5' } },
      { status: 503, body: { outcome: 'unknown' } },
    ]);
  });

  it('is mended by a restart: recovery tells what became of the unknown, and its key is good again', async () => {
    await start();
    disk.hold();
    const unknown = post('a');
    await untilInFlight(1);
    disk.fail();
    expect((await unknown).status).toBe(503);
    service = await service.restart();
    expect((await post('a')).status).toBe(201);
    const rest = await service.send('POST', `${LEDGER}/transfers?dryRun=true`, {
      body: transfer('alice', 'bob', '1000'),
    });
    expect(rest.body).toMatchObject({ type: '/problems/insufficient-funds', available: '999' });
  });
});

it('ends the process with the exit code of poison', async () => {
  await start();
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-poison-'));
  const lifecycle = new ServiceLifecycle();
  const writer = await openLedgerWriter({
    storage: {
      walDirectory: join(directory, 'wal'),
      stateDirectory: join(directory, 'state'),
      snapshotDirectory: join(directory, 'snapshots'),
      archiveDirectory: join(directory, 'archive'),
    },
    clock: { skewSeconds: 10, gapDays: 7, accept: '' },
    state: {
      checkpointBytes: 1e6,
      checkpointSeconds: 60,
      snapshotHours: 0,
      cacheEntries: 1_000,
      keyRetentionDays: 30,
    },
    archives: false,
    wal: { create: true, fileSystem: disk, ioMode: 'asynchronous' },
    logger: createLogger({ service: 'test', level: 'silent' }),
    lifecycle,
  });
  disk.fail();
  await expect(
    writer.execute({ type: 'OpenLedger', ledger: 'main' }, { actor: 'tester' }),
  ).rejects.toMatchObject({ code: 'COMMAND_OUTCOME_UNKNOWN' });
  await writer.failed;
  const failure = await new Promise((resolve) => lifecycle.onFatal(resolve));
  expect(LEDGER_EXIT_CODES[errorCode(failure) ?? '']).toBe(ExitCode.POISONED);
  await writer.close();
  await rm(directory, { recursive: true });
});

it('answers 429 with Retry-After when more waits for the disk than the limit, and applies nothing', async () => {
  await start({ frameBytesMax: 16 * 1024, segmentBytes: 64 * 1024, queuedBytesMax: 16 * 1024 });
  disk.hold();
  const replies = Array.from({ length: 60 }, (_, index) => post(`load-${index}`));
  const refused = await Promise.any(
    replies.map(async (reply) => {
      const { status, body, headers } = await reply;
      if (status !== 429) throw new Error(`answered ${status}`);
      return { body, retryAfter: headers.get('retry-after') };
    }),
  );
  expect(refused).toEqual({
    body: expect.objectContaining({ type: '/problems/overloaded', status: 429 }),
    retryAfter: '1',
  });
  disk.release();
  const statuses = (await Promise.all(replies)).map(({ status }) => status);
  expect(new Set(statuses)).toEqual(new Set([201, 429]));
  const left = 1000 - statuses.filter((status) => status === 201).length;
  const rest = await service.send('POST', `${LEDGER}/transfers?dryRun=true`, {
    body: transfer('alice', 'bob', '1001'),
  });
  expect(rest.body).toMatchObject({ available: String(left) });
});

it('answers 413 to a command that is larger than the log takes at once', async () => {
  await start({ frameBytesMax: 16 * 1024, segmentBytes: 64 * 1024, queuedBytesMax: 16 * 1024 });
  const metadata = Object.fromEntries(
    Array.from({ length: 50 }, (_, index) => [`key-${index}`, 'v'.repeat(500)]),
  );
  const before = service.lastPosition;
  const reply = await service.send('POST', `${LEDGER}/transfers`, {
    key: 'large',
    body: transfer('alice', 'bob', '1', { metadata }),
  });
  expect([reply.status, reply.body['type'], service.lastPosition]).toEqual([
    413,
    '/problems/too-large',
    before,
  ]);
});

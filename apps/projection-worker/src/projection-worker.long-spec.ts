import { type ProjectionWorkerConfiguration, configurationOf } from '@holdfast/config';
import { type Position, WalEventLog } from '@holdfast/event-store';
import { LedgerWriter, ledgerProjection } from '@holdfast/ledger-service';
import { type HttpApplication, ServiceLifecycle, createLogger } from '@holdfast/platform';
import { SqliteReadModel } from '@holdfast/projections';
import { freePort, serveFeed } from '@holdfast/projections/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startProjectionWorker } from './projection-worker.js';

interface Readiness {
  readonly status: number;
  readonly projection: string | undefined;
}

const PATIENCE_MILLIS = 20_000;
const WAL = { create: true, segmentBytes: 1024 * 1024, frameBytesMax: 512 * 1024 };

let directory: string;
let configuration: ProjectionWorkerConfiguration;
let lifecycle: ServiceLifecycle;
let worker: HttpApplication;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-worker-'));
  configuration = configurationOf('projection-worker', {
    HOLDFAST_DATA_DIRECTORY: directory,
    HOLDFAST_PROJECTION_HTTP_PORT: '0',
  });
  await start();
});
afterEach(async () => {
  await worker.stop(1_000);
  await rm(directory, { recursive: true, force: true });
});

async function start(): Promise<void> {
  lifecycle = new ServiceLifecycle();
  const logger = createLogger({ service: 'test', level: 'silent' });
  worker = await startProjectionWorker(configuration, logger, lifecycle);
}

async function get(path: string): Promise<Response> {
  return fetch(`${await worker.nest.getUrl()}${path}`);
}

async function readiness(): Promise<Readiness> {
  const reply = await get('/health/ready');
  const { checks } = (await reply.json()) as { checks: Record<string, string> };
  return { status: reply.status, projection: checks['projection'] };
}

async function until(holds: (now: Readiness) => boolean): Promise<Readiness> {
  const givingUpAt = performance.now() + PATIENCE_MILLIS;
  for (;;) {
    const now = await readiness();
    if (holds(now) || performance.now() > givingUpAt) return now;
    await sleep(20);
  }
}

async function metric(name: string): Promise<number> {
  const text = await (await get('/metrics')).text();
  return Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
}

/** A command service's part: opens the log, opens ledgers, and ends. */
async function openLedgers(...ledgers: readonly string[]): Promise<void> {
  const writer = await LedgerWriter.open(configuration.storage.walDirectory, { wal: WAL });
  for (const ledger of ledgers)
    await writer.execute({ type: 'OpenLedger', ledger }, { actor: 'test' });
  await writer.close();
}

async function readModelAt(position: number): Promise<string[]> {
  const readModel = SqliteReadModel.open({
    directory: configuration.storage.readModelDirectory,
    projection: ledgerProjection,
  });
  try {
    expect(await readModel.waitForPosition(position as Position, PATIENCE_MILLIS)).toBe(true);
    const all = readModel.read((snapshot) =>
      snapshot.prepare<[], { ledger: string }>('SELECT ledger FROM ledgers ORDER BY ledger').all(),
    );
    return all.map(({ ledger }) => ledger);
  } finally {
    readModel.close();
  }
}

describe('the projection worker', () => {
  it('waits for a log that does not exist yet, says so, and follows it once it does', async () => {
    const waiting = await until(({ projection }) => projection?.startsWith('feed') === true);
    expect(waiting.status).toBe(503);
    expect(waiting.projection).toContain('feed-unavailable: ');
    await openLedgers('main');
    expect(await readModelAt(1)).toEqual(['main']);
    expect(await until(({ status }) => status === 200)).toEqual({ status: 200, projection: 'ok' });
  });

  it('keeps following while its command service comes and goes, and shows how far it is', async () => {
    await openLedgers('one');
    await readModelAt(1);
    await openLedgers('two');
    expect(await readModelAt(2)).toEqual(['one', 'two']);
    await until(({ status }) => status === 200);
    expect(await metric('holdfast_projection_position')).toBe(2);
    expect(await metric('holdfast_projection_lag_events')).toBe(0);
    expect(await metric('holdfast_projection_applied_events_total')).toBe(2);
  });

  it('goes on where it was when it is started again', async () => {
    await openLedgers('one');
    await readModelAt(1);
    await worker.stop(1_000);
    await openLedgers('two');
    await start();
    expect(await readModelAt(2)).toEqual(['one', 'two']);
    await until(({ status }) => status === 200);
    expect(await metric('holdfast_projection_applied_events_total')).toBe(1);
  });

  it('ends loudly when the log is another one than it followed', async () => {
    await openLedgers('one', 'two');
    await readModelAt(2);
    await worker.stop(1_000);
    await rm(configuration.storage.walDirectory, { recursive: true });
    await openLedgers('another');
    await start();
    const failure = await new Promise((resolve) => lifecycle.onFatal(resolve));
    expect(failure).toMatchObject({ code: 'FEED_DIVERGED' });
    expect((await readiness()).status).toBe(503);
  });

  it('ends loudly when the feed wants a token that it does not have', async () => {
    const source = await WalEventLog.open(join(directory, 'other'), { wal: WAL });
    const address = `127.0.0.1:${await freePort()}`;
    const server = await serveFeed(source, address, { token: 'a-token-of-some-length' });
    await worker.stop(1_000);
    configuration = configurationOf('projection-worker', {
      HOLDFAST_DATA_DIRECTORY: directory,
      HOLDFAST_PROJECTION_HTTP_PORT: '0',
      HOLDFAST_FEED_KIND: 'grpc',
      HOLDFAST_FEED_ADDRESS: address,
      HOLDFAST_FEED_TOKEN: 'another-token-of-some-length',
    });
    await start();
    const failure = await new Promise((resolve) => lifecycle.onFatal(resolve));
    expect(failure).toMatchObject({ code: 'FEED_REFUSED' });
    await server.close();
    await source.close();
  });
});

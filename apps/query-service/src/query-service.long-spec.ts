import { configurationOf } from '@holdfast/config';
import {
  LEDGER_CODED_ERRORS,
  LEDGER_PROBLEMS,
  LedgerCommandsModule,
  LedgerProjector,
  LedgerWriter,
  type ReadModelPlace,
  askedHere,
  ledgerProjection,
  openLedgerStore,
} from '@holdfast/ledger-service';
import {
  type HttpApplication,
  ServiceLifecycle,
  createHttpApplication,
  createLogger,
} from '@holdfast/platform';
import { SourceFeed, SqliteReadModel } from '@holdfast/projections';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startQueryService } from './query-service.js';

const logger = createLogger({ service: 'test', level: 'silent' });
const LEDGER = '/v1/ledgers/main';

function here({ readModelDirectory: directory }: ReadModelPlace) {
  return askedHere(SqliteReadModel.open({ directory, projection: ledgerProjection }));
}

let directory: string;
let commands: HttpApplication;
let projector: LedgerProjector;
let front: HttpApplication;
let frontUrl: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-front-'));
  const writer = await LedgerWriter.open(join(directory, 'wal'), {
    wal: { create: true, segmentBytes: 1024 * 1024, frameBytesMax: 512 * 1024 },
  });
  commands = await createHttpApplication(LedgerCommandsModule.forRoot({ writer }), {
    logger,
    problems: LEDGER_PROBLEMS,
    codedErrors: LEDGER_CODED_ERRORS,
  });
  projector = LedgerProjector.start({
    feed: new SourceFeed(writer.log),
    store: await openLedgerStore({ readModelDirectory: join(directory, 'read-models') }),
    logger,
    onFailure: (error) => {
      throw error;
    },
  });
  const configuration = configurationOf('query-service', {
    HOLDFAST_DATA_DIRECTORY: directory,
    HOLDFAST_HTTP_PORT: '0',
    HOLDFAST_COMMAND_URL: await commands.listen(0),
  });
  front = await startQueryService(configuration, logger, new ServiceLifecycle(), here);
  frontUrl = await front.nest.getUrl();
});
afterAll(async () => {
  await front.stop(1_000);
  await projector.stop();
  await commands.stop(1_000);
  await rm(directory, { recursive: true, force: true });
});

async function send(method: string, path: string, key?: string, body?: object) {
  const response = await fetch(`${frontUrl}${path}`, {
    method,
    headers: {
      ...(key !== undefined && { 'idempotency-key': key }),
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  const { status, headers } = response;
  return { status, headers, body: (await response.json()) as Record<string, unknown> };
}

describe('the front door', () => {
  it('describes the commands that it hands on beside its own queries', async () => {
    const { body } = await send('GET', '/openapi.json');
    const { paths, components } = body as {
      paths: Record<string, Record<string, unknown>>;
      components: { schemas: Record<string, unknown> };
    };
    const operations = (path: string) => Object.keys(paths[`/v1/ledgers${path}`] ?? {}).sort();
    expect(operations('/{ledger}/transfers')).toEqual(['get', 'post']);
    expect(operations('/{ledger}/accounts/{account}')).toEqual(['get', 'patch']);
    expect(operations('/{ledger}/bulk')).toEqual(['post']);
    expect(operations('/{ledger}/commands/{key}')).toEqual(['get']);
    const named = [...JSON.stringify(paths).matchAll(/#\/components\/schemas\/(\w+)/g)];
    expect(
      named.map(([, name = '']) => name).filter((name) => !(name in components.schemas)),
    ).toEqual([]);
  });

  it.each([
    ['DELETE', LEDGER, 'GET, HEAD, PUT'],
    ['DELETE', `${LEDGER}/accounts`, 'GET, HEAD, POST'],
    ['POST', `${LEDGER}/accounts/bob`, 'GET, HEAD, PATCH'],
    ['POST', `${LEDGER}/accounts/bob/balance`, 'GET, HEAD'],
    ['PUT', `${LEDGER}/bulk`, 'POST'],
    ['POST', `${LEDGER}/commands/k`, 'GET, HEAD'],
  ])('says which methods %s %s could have had', async (method, path, allow) => {
    const { status, headers } = await send(method, path);
    expect([status, headers.get('allow')]).toEqual([405, allow]);
  });

  it('forwards commands and answers queries, at one address', async () => {
    const opened = await send('PUT', LEDGER);
    await send('PUT', `${LEDGER}/assets/EUR`, undefined, { scale: 2 });
    const account = { id: 'alice', asset: 'EUR', normalSide: 'credit' };
    const made = await send('POST', `${LEDGER}/accounts`, 'key-1', account);
    expect([opened.status, made.status]).toEqual([201, 201]);
    const location = made.headers.get('location') ?? '';
    const position = made.headers.get('holdfast-position') ?? '';
    const found = await send('GET', `${location}?minPosition=${position}`);
    expect([found.status, found.body]).toEqual([200, made.body]);
  });

  it('hands on what the command service refuses, and replays', async () => {
    const account = { id: 'alice', asset: 'EUR', normalSide: 'credit' };
    const again = await send('POST', `${LEDGER}/accounts`, 'key-2', account);
    expect([again.status, again.body['type']]).toEqual([409, '/problems/account-exists']);
    const replayed = await send('POST', `${LEDGER}/accounts`, 'key-2', account);
    expect(replayed.headers.get('idempotency-replayed')).toBe('true');
    expect(replayed.body).toEqual(again.body);
  });

  it('asks the command service whether a command happened', async () => {
    const { status, body } = await send('GET', `${LEDGER}/commands/key-1`);
    expect([status, body['outcome']]).toEqual([200, 'accepted']);
    expect((await send('GET', `${LEDGER}/commands/no-such-key`)).status).toBe(404);
  });

  it('says in its health how far the read model is behind the log', async () => {
    const ready = async () => (await send('GET', '/health/ready')).body['facts'];
    let facts = (await ready()) as Record<string, number>;
    while (facts['readModelLagEvents'] !== 0) facts = (await ready()) as Record<string, number>;
    // The two facts are of two moments; once it has caught up, they agree.
    expect(await ready()).toEqual({ readModelPosition: 4, readModelLagEvents: 0 });
    await projector.stop();
    await send('PUT', `${LEDGER}/assets/USD`, undefined, { scale: 2 });
    expect(await ready()).toEqual({ readModelPosition: 4, readModelLagEvents: 1 });
  });

  it('answers nothing from the read model of another log, and is not ready: positions of two logs are not compared', async () => {
    const other = await LedgerWriter.open(join(directory, 'other', 'wal'), {
      wal: { create: true, segmentBytes: 1024 * 1024, frameBytesMax: 512 * 1024 },
    });
    const behind = await createHttpApplication(LedgerCommandsModule.forRoot({ writer: other }), {
      logger,
      problems: LEDGER_PROBLEMS,
      codedErrors: LEDGER_CODED_ERRORS,
    });
    const configuration = configurationOf('query-service', {
      HOLDFAST_DATA_DIRECTORY: directory,
      HOLDFAST_HTTP_PORT: '0',
      HOLDFAST_COMMAND_URL: await behind.listen(0),
    });
    const mixed = await startQueryService(configuration, logger, new ServiceLifecycle(), here);
    const url = await mixed.nest.getUrl();
    const answer = await fetch(`${url}${LEDGER}/accounts/alice`);
    const ready = await fetch(`${url}/health/ready`);
    expect([answer.status, ready.status]).toEqual([503, 503]);
    expect(await ready.json()).toMatchObject({
      checks: { 'read-model': expect.stringContaining('the log is not the one') as unknown },
    });
    await mixed.stop(1_000);
    await behind.stop(1_000);
  });

  it('answers no query, and is not ready, before the command service has answered once: nobody knows of which history the read model is', async () => {
    const configuration = configurationOf('query-service', {
      HOLDFAST_DATA_DIRECTORY: directory,
      HOLDFAST_HTTP_PORT: '0',
      // Nobody listens on the port of a service that has ended.
      HOLDFAST_COMMAND_URL: await closedPort(),
    });
    const early = await startQueryService(configuration, logger, new ServiceLifecycle(), here);
    try {
      const url = await early.nest.getUrl();
      const answer = await fetch(`${url}${LEDGER}/accounts/alice`);
      expect([answer.status, await answer.json()]).toMatchObject([
        503,
        { type: '/problems/projection-lagging', outcome: 'not-applied' },
      ]);
      expect((await fetch(`${url}/health/ready`)).status).toBe(503);
    } finally {
      await early.stop(1_000);
    }
  });

  it('still answers queries when the command service is away, and says that nothing was applied', async () => {
    await commands.stop(1_000);
    const refused = await send('PUT', '/v1/ledgers/second');
    expect([refused.status, refused.body['type'], refused.body['outcome']]).toEqual([
      503,
      '/problems/storage-unavailable',
      'not-applied',
    ]);
    expect((await send('GET', `${LEDGER}/accounts/alice`)).status).toBe(200);
    expect(await send('GET', '/health/ready')).toMatchObject({
      status: 200,
      body: { ready: true, facts: { readModelPosition: 4 } },
    });
  });
});

async function closedPort(): Promise<string> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${port}`;
}

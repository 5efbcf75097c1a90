import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { AdminApi } from '../../support/admin-api.js';
import { Services } from '../../support/services.js';

const EXIT_CONFIGURATION = 78;
const EXIT_PROBLEMS = 1;
const TOKEN = 'a-token-for-the-end-to-end-tests';
const PATIENCE_MILLIS = 20_000;

/** Each opens a ledger, which is one event. */
async function openLedgers(url: string, prefix: string, count: number): Promise<void> {
  for (let number = 0; number < count; number += 1) {
    const answer = await fetch(`${url}/v1/ledgers/${prefix}${number}`, { method: 'PUT' });
    expect(answer.status).toBe(201);
  }
}

async function until<Value>(
  read: () => Promise<Value>,
  holds: (value: Value) => boolean,
): Promise<Value> {
  const givingUpAt = performance.now() + PATIENCE_MILLIS;
  for (;;) {
    const value = await read();
    if (holds(value) || performance.now() > givingUpAt) return value;
    await setTimeout(50);
  }
}

describe('who may administer', () => {
  let services: Services;
  beforeAll(async () => {
    services = await Services.prepare();
  });
  afterEach(() => services.end('command-service', 'SIGKILL').catch(() => undefined));
  afterAll(() => services.remove());

  it('is nobody on an address that others can reach, unless there is a token', async () => {
    const refused = services.spawn('command-service', { HOLDFAST_ADMIN_HOST: '0.0.0.0' });
    expect(await refused.exited).toEqual({ code: EXIT_CONFIGURATION, signal: null });
    expect(refused.output).toContain('ADMIN_TOKEN_MISSING');
  });

  it('is who has the token, and the token is nowhere in the log', async () => {
    const service = await services.start('command-service', {
      HOLDFAST_ADMIN_HOST: '0.0.0.0',
      HOLDFAST_ADMIN_TOKEN: TOKEN,
      HOLDFAST_LOG_LEVEL: 'trace',
    });
    expect((await new AdminApi(services.admin).get('/admin/log')).status).toBe(401);
    expect((await new AdminApi(services.admin, `${TOKEN}x`).get('/admin/log')).status).toBe(401);
    expect((await new AdminApi(services.admin, TOKEN).get('/admin/log')).status).toBe(200);
    expect(service.output).toContain('serving administration');
    expect(service.output).not.toContain(TOKEN);
  });
});

describe.each([
  ['a worker that reads the files', { HOLDFAST_FEED_KIND: 'directory' }],
  ['a worker of the gRPC feed', { HOLDFAST_FEED_KIND: 'grpc' }],
])('the floor of %s', (_name, environment) => {
  let services: Services;
  let admin: AdminApi;

  beforeAll(async () => {
    services = await Services.start(environment);
    admin = new AdminApi(services.admin);
  });
  afterAll(() => services.remove());

  const ledgerFloor = async () => (await admin.floors()).get('projection:ledger');

  it('follows what is durable in the read model', async () => {
    await openLedgers(services.commands, 'a', 20);
    const floor = await until(ledgerFloor, (found) => found?.position === 20);
    expect(floor).toMatchObject({ position: 20, connected: true });
  });

  it('stays while the worker is away and the command service dies, and moves on when both are back', async () => {
    await services.crash('projection-worker');
    await openLedgers(services.commands, 'b', 10);
    await services.crash('command-service');
    await services.start('command-service');
    expect(await ledgerFloor()).toMatchObject({ position: 20, eventsBehind: 10, connected: false });
    await services.start('projection-worker');
    const floor = await until(ledgerFloor, (found) => found?.position === 30);
    expect(floor).toMatchObject({ position: 30, connected: true });
  });

  it('is dropped by name, and kept again once the worker comes back', async () => {
    await services.crash('projection-worker');
    const refused = await admin.post('/admin/floors/projection%3Aledger/drop', { confirm: '' });
    expect(refused.status).toBe(422);
    const cli = services.cli([
      ...['floors', 'drop', 'projection:ledger', '--confirm', 'projection:ledger'],
      ...['--url', services.admin],
    ]);
    expect((await cli.exited).code).toBe(0);
    expect(await ledgerFloor()).toBeUndefined();
    await services.start('projection-worker');
    expect(await until(ledgerFloor, (found) => found !== undefined)).toMatchObject({
      position: 30,
    });
  });
});

describe('one process that does everything', () => {
  let services: Services;
  beforeAll(async () => {
    services = await Services.prepare();
    await services.start('holdfast');
  });
  afterAll(() => services.remove());

  it('keeps a floor for its projection thread', async () => {
    await openLedgers(services.front, 'a', 10);
    const admin = new AdminApi(services.admin);
    const own = await until(
      async () => (await admin.floors()).get('projection:ledger'),
      (floor) => floor?.position === 10,
    );
    expect(own).toMatchObject({ position: 10, connected: true });
    const listed = services.cli(['floors', 'list', '--url', services.admin]);
    expect((await listed.exited).code).toBe(0);
    expect(listed.stdout).toContain('projection:ledger');
  });

  it('verifies its log while it serves', async () => {
    const job = await new AdminApi(services.admin).work('/admin/log/verify');
    expect(job).toMatchObject({ state: 'succeeded', result: { sound: true } });
  });

  it('lets nobody work on its data while it runs', async () => {
    const cli = services.cli(['retention', '--data', services.dataDirectory]);
    expect((await cli.exited).code).toBe(75);
    expect(cli.output).toContain('WAL_LOCKED');
    const denied = services.cli(['jobs', '--url', services.admin, '--cancel', 'nonsense']);
    expect((await denied.exited).code).toBe(EXIT_PROBLEMS);
  });
});

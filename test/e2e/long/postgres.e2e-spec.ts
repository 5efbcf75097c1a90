import { type PostgresConnection, PostgresReadModelStore } from '@holdfast/projections/postgres';
import { type PostgresServer, describeWithPostgres } from '@holdfast/projections/testing';
import { errorCode } from '@holdfast/kernel';
import { Upcasters } from '@holdfast/event-store';
import { ledgerEventSchemas } from '@holdfast/ledger';
import { openLedgerStore } from '@holdfast/ledger-service';
import { DirectoryFeed, rebuildProjection } from '@holdfast/projections';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { setTimeout } from 'node:timers/promises';
import { AdminApi } from '../../support/admin-api.js';
import { Journal } from '../../support/journal.js';
import { JournalingClient } from '../../support/journaling-client.js';
import { LedgerTraffic } from '../../support/ledger-traffic.js';
import { auditLog } from '../../support/log-audit.js';
import { checkTrialBalance } from '../../support/money-check.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { Services } from '../../support/services.js';

const TRANSFERS = 300;
const TEST_MILLIS_MAX = 300_000;
const PASSWORD = 'S3cret-of-mine';

describeWithPostgres('the services on PostgreSQL', (server) => {
  const journal = new Journal('main');
  let services: Services;
  let client: JournalingClient;
  let traffic: LedgerTraffic;
  let admin: AdminApi;

  beforeAll(async () => {
    services = await Services.start({ HOLDFAST_READ_MODEL_URL: urlOf(server()) });
    client = new JournalingClient(services.front, journal);
    admin = new AdminApi(services.admin);
    traffic = new LedgerTraffic(client, SeededRandom.announced('postgres'));
    await traffic.begin();
  }, TEST_MILLIS_MAX);

  afterAll(async () => {
    await client.close();
    await services.remove();
  });

  it(
    'lose nothing when worker, queries and server are killed: the read model is what a rebuild makes',
    async () => {
      const killServer = async () => {
        await server().kill();
        await setTimeout(200);
        await server().run();
      };
      const killServices = () =>
        Promise.all([restart('projection-worker'), restart('query-service')]);
      for (const kill of [killServices, killServer]) {
        const sending = traffic.transfer(TRANSFERS);
        await setTimeout(50);
        await kill();
        await sending;
      }
      const audit = await auditLog(services.walDirectory, journal.ledger);
      await checkTrialBalance(client, audit);
      const incremental = await digestAt({ url: urlOf(server()) }, audit.position);
      expect(await rebuiltDigest({ url: urlOf(server()), schema: 'rebuilt' })).toBe(incremental);
      const { body } = await admin.get('/admin/projections');
      expect(body).toMatchObject({
        items: [{ name: 'ledger', generations: [{ version: 1, state: 'live' }] }],
      });
      for (const name of ['command-service', 'projection-worker', 'query-service'])
        expect(services.get(name)?.output).not.toContain(PASSWORD);
    },
    TEST_MILLIS_MAX,
  );

  it(
    'give way to one process, which rebuilds the read model there and proves it',
    async () => {
      for (const name of ['query-service', 'projection-worker', 'command-service'])
        await services.end(name, 'SIGTERM');
      await services.start('holdfast');
      const { position } = await auditLog(services.walDirectory, journal.ledger);
      const before = await digestAt({ url: urlOf(server()) }, position);
      expect(await admin.work('/admin/projections/ledger/rebuild')).toMatchObject({
        state: 'succeeded',
        result: { position },
      });
      expect(await digestAt({ url: urlOf(server()) }, position)).toBe(before);
      expect(await admin.work('/admin/state/verify')).toMatchObject({
        state: 'succeeded',
        result: { sound: true, readModels: { ledger: { position, equal: true } } },
      });
      const schemas = await server().query(
        `SELECT nspname FROM pg_namespace WHERE nspname LIKE 'verify%'`,
      );
      expect(schemas).toEqual([]);
      await checkTrialBalance(client, await auditLog(services.walDirectory, journal.ledger));
    },
    TEST_MILLIS_MAX,
  );

  /** From the log's files alone. */
  async function rebuiltDigest(postgres: PostgresConnection): Promise<string> {
    const store = await openLedgerStore({ readModelDirectory: '', postgres });
    const feed = new DirectoryFeed(services.walDirectory, {
      upcasters: new Upcasters(ledgerEventSchemas),
    });
    try {
      await rebuildProjection({ feed, store, signal: new AbortController().signal });
      return (await store.digest()).sha256;
    } finally {
      await feed.close();
      await store.close();
    }
  }

  async function restart(name: 'projection-worker' | 'query-service'): Promise<void> {
    await services.crash(name);
    await services.start(name);
  }
});

/** The server takes anybody; a password in the URL must not be seen for all that. */
function urlOf(server: PostgresServer): string {
  return server.url().replace('holdfast@', `holdfast:${PASSWORD}@`);
}

async function digestAt(postgres: PostgresConnection, position: number): Promise<string> {
  const store = await openLedgerStore({ readModelDirectory: '', postgres });
  expect(store).toBeInstanceOf(PostgresReadModelStore);
  try {
    for (;;) {
      const digest = await store.digest().catch((error: unknown) => {
        if (errorCode(error) !== 'READ_MODEL_NOT_READY') throw error;
        return undefined;
      });
      if ((digest?.cursor?.position ?? 0) >= position) return digest!.sha256;
      await setTimeout(50);
    }
  } finally {
    await store.close();
  }
}

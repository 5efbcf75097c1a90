import { errorMessage } from '@holdfast/kernel';
import { ProjectionRunner, SourceFeed } from '@holdfast/projections';
import { PostgresServer, describeWithPostgres, newSchema } from '@holdfast/projections/testing';
import { afterEach, expect, it } from '@jest/globals';
import { assertReadModelPlace, openLedgerStore } from '../../projections/read-model-place.js';
import { type QueryCall, askedHere } from '../ledger-queries.js';
import { numbersKeys, textKeys } from '../page-request.js';
import { describeFreshness } from '../testing/freshness.contract.js';
import { TestLedgerService, readModelIn } from '../testing/ledger-service.js';
import { describePaging } from '../testing/paging.contract.js';
import { describeQueries } from '../testing/queries.contract.js';

const MAIN = '/v1/ledgers/main';
const { signal } = new AbortController();
/** In an order of their own each: by bytes, by letters, and by what a language makes of them. */
const IDS = ['a', 'B', 'b', 'Z', '_x', 'a-1', 'a.1', 'a:1', 'a1', 'a@1', 'a~', 'ab', 'b_', 'b+'];

describeWithPostgres('PostgreSQL:', (server) => {
  const placed = () => ({ url: server().url(), schema: newSchema() });
  /** The first tables of a projection are made meanwhile. */
  const start = (waitMillisMax = 2_000) => TestLedgerService.start(waitMillisMax, placed());
  let service: TestLedgerService | undefined;

  afterEach(async () => {
    await service?.stopAndRemove();
    service = undefined;
  });

  describeQueries('queries', start);
  describeFreshness('freshness', start);
  describePaging('pages', start);

  it('answers byte for byte as SQLite does, in the same order, and goes on in it', async () => {
    service = await start();
    service.follow();
    await manyKinds(service);
    await service.reached(service.writer.log.durablePosition);
    const place = { readModelDirectory: `${service.directory}/sqlite` };
    const store = await openLedgerStore(place);
    const feed = new SourceFeed(service.writer.log);
    const stopping = new AbortController();
    const runner = new ProjectionRunner({ feed, store });
    const running = runner.run(stopping.signal);
    await runner.waitFor(service.writer.log.durablePosition, 20_000);
    const sqlite = askedHere(readModelIn(place));
    for (const call of calls()) {
      const [expected, found] = [
        await sqlite.ask(call, signal),
        await service.asker.ask(call, signal),
      ];
      expect([call, textOf(found)]).toEqual([call, textOf(expected)]);
    }
    stopping.abort();
    await running;
    await sqlite.close();
    await store.close();
    await feed.close();
  });

  it('takes a cursor that somebody made up, though it names what no text of PostgreSQL holds', async () => {
    service = await start();
    service.follow();
    await manyKinds(service);
    await service.reached(service.writer.log.durablePosition);
    const beyond = async (forward: boolean) => {
      const place = { limit: 1, forward, beyond: 'a\0b', cursorKind: 'spec' };
      const call: QueryCall = { name: 'listAccounts', arguments: ['main', place] };
      const [, body] = textOf(await service!.asker.ask(call, signal)) as [unknown, string];
      return (JSON.parse(body) as { items: { id: string }[] }).items[0]?.id;
    };
    expect([await beyond(true), await beyond(false)]).toEqual(['a-1', 'a']);
  });

  it('tells nobody the password: neither in errors nor in health', async () => {
    const secret = 'S3cret-of-mine';
    const postgres = { url: `postgres://holdfast:${secret}@127.0.0.1:1/books`, schema: 'holdfast' };
    service = await TestLedgerService.start(0, postgres);
    const answer = await service.get<object>('/v1/ledgers');
    expect([answer.status, (answer.body as { type: string }).type]).toEqual([
      ...[503, '/problems/storage-unavailable'],
    ]);
    const health = await service.get<object>('/health/ready');
    expect(health.status).toBe(503);
    const thrown = await service.store.digest().catch(String);
    const told = JSON.stringify([answer.body, health.body, thrown]);
    expect(told).toContain('postgres://127.0.0.1:1/books');
    expect(told).not.toContain(secret);
    for (const url of [
      `postgres://holdfast:${secret}@127.0.0.1:99999/books`,
      `postgres://holdfast:${secret}@127.0.0.1/books?sslrootcert=/nowhere/${secret}`,
    ]) {
      const refused: unknown = await assertReadModelPlace({
        readModelDirectory: '',
        postgres: { url },
      }).catch((error: unknown) => error);
      expect(refused).toMatchObject({ code: 'POSTGRES_URL_INVALID' });
      expect(errorMessage(refused) + JSON.stringify(refused)).not.toContain(secret);
    }
  });

  it('is 503 while the server is gone, and well again with it', async () => {
    const own = await PostgresServer.start();
    try {
      service = await TestLedgerService.start(250, { url: own.url(), schema: 'holdfast' });
      service.follow();
      await service.command('PUT', MAIN);
      await service.reached(service.writer.log.durablePosition);
      await own.kill();
      const gone = await service.get<{ type: string }>(MAIN);
      expect([gone.status, gone.body.type]).toEqual([503, '/problems/storage-unavailable']);
      await service.command('PUT', '/v1/ledgers/second');
      await own.run();
      await service.reached(service.writer.log.durablePosition);
      expect((await service.get('/v1/ledgers/second')).status).toBe(200);
    } finally {
      await service?.stopAndRemove();
      service = undefined;
      await own.dispose();
    }
  });
});

/** Accounts and transfers with everything that may be said of one. */
async function manyKinds(service: TestLedgerService): Promise<void> {
  await service.command('PUT', MAIN);
  await service.command('PUT', '/v1/ledgers/Zweites');
  for (const asset of ['EUR', 'B1', 'AB'])
    await service.command('PUT', `${MAIN}/assets/${asset}`, { scale: 2 });
  for (const id of IDS)
    await service.command('POST', `${MAIN}/accounts`, {
      ...{ id, asset: 'EUR', normalSide: 'credit', floor: null },
      metadata: { z: id, ä: '\t"\\ \u{1f600}', a: '' },
    });
  for (const [at, id] of IDS.entries())
    if (id !== 'a')
      await service.command('POST', `${MAIN}/transfers`, {
        legs: [
          { accountId: 'a', side: 'debit', amount: '9'.repeat(36) },
          { accountId: id, side: 'credit', amount: '9'.repeat(36) },
        ],
        reference: `Größe ${at}`,
        effectiveAt: `202${at % 3}-01-01T00:00:00.000Z`,
        metadata: { kind: at % 2 === 0 ? 'even' : `odd's`, z: '1', a: '2' },
      });
}

function calls(): QueryCall[] {
  const cursorKind = 'spec';
  const called: QueryCall[] = [];
  const call = (name: QueryCall['name'], ...given: unknown[]) =>
    called.push({ name, arguments: given });
  for (const id of [...IDS, 'nobody']) {
    call('getAccount', 'main', id);
    call('getBalance', 'main', id);
  }
  for (const ledger of ['main', 'Zweites', 'none']) {
    call('getLedger', ledger);
    call('getAsset', ledger, 'EUR');
    call('getTrialBalance', ledger);
  }
  for (const forward of [true, false])
    for (const limit of [1, 3, 1_000]) {
      const place = (keys: typeof textKeys | typeof numbersKeys, beyond: unknown) => ({
        ...{ limit, forward, cursorKind },
        beyond: beyond ?? (forward ? keys.beforeFirst : keys.afterLast),
      });
      for (const beyond of [undefined, 'a', 'b', 'zz']) {
        call('listLedgers', place(textKeys, beyond));
        call('listAssets', 'main', place(textKeys, beyond));
        call('listAccounts', 'main', place(textKeys, beyond));
      }
      for (const beyond of [undefined, [3, 0]])
        call('getStatement', 'main', 'a', place(numbersKeys, beyond));
      for (const account of [undefined, 'a', 'B', 'nobody'])
        for (const reference of [undefined, 'Größe 3'])
          for (const metadata of [undefined, { key: 'kind', value: `odd's` }])
            for (const effectiveFromMillis of [undefined, Date.parse('2021-01-01')])
              call(
                'listTransfers',
                'main',
                { account, reference, metadata, effectiveFromMillis },
                place(numbersKeys, undefined),
              );
    }
  return called;
}

function textOf({ finding }: Awaited<ReturnType<ReturnType<typeof askedHere>['ask']>>): unknown {
  return finding.kind === 'missing'
    ? finding
    : [finding.version, new TextDecoder().decode(finding.body)];
}

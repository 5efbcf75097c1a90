import type { AccountResource, TransferResource } from '@holdfast/ledger';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { versionOfEtag } from '../../shared/etag.js';
import { ApiDocument } from './api-document.js';
import { TestLedgerService, type TestReply } from './ledger-service.js';

interface Listed<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
}
interface Problem {
  readonly type: string;
}

/** What every query answers, whatever the read model is in. `start` starts a service of its own on the read model that is meant. */
export function describeQueries(
  readModel: string,
  start: (waitMillisMax?: number) => Promise<TestLedgerService>,
): void {
  describe(readModel, () => {
    const MAIN = '/v1/ledgers/main';
    const UNKNOWN_UUID = '0192f0c1-7b3a-7cc1-8a51-5d2c0b7e9f10';
    const HUGE = '9'.repeat(36);

    let service: TestLedgerService;
    let api: ApiDocument;
    /** Answers to commands, by what they made. */
    const made: Record<string, TestReply<AccountResource & TransferResource>> = {};
    let position = '';

    beforeAll(async () => {
      service = await start();
      service.follow();
      api = await ApiDocument.of(service.url);
      await service.command('PUT', MAIN);
      await service.command('PUT', '/v1/ledgers/other');
      await service.command('PUT', '/v1/ledgers/empty');
      await service.command('PUT', `${MAIN}/assets/EUR`, { scale: 2 });
      await service.command('PUT', `${MAIN}/assets/BIG`, { scale: 18 });
      await service.command('PUT', '/v1/ledgers/other/assets/EUR', { scale: 0 });
      await open('world', { floor: null });
      await open('alice', { metadata: { owner: 'Zoë' }, ceiling: '100000' });
      await open('bob', {});
      await open('whale', { asset: 'BIG', floor: null });
      await open('abyss', { asset: 'BIG', floor: null, normalSide: 'debit' });
      await post('funding', [
        ['world', 'debit', '1000'],
        ['alice', 'credit', '1000'],
      ]);
      await post(
        'invoice',
        [
          ['alice', 'debit', '300'],
          ['bob', 'credit', '200'],
          ['alice', 'debit', '50'],
          ['bob', 'credit', '150'],
        ],
        {
          reference: 'invoice 4711',
          effectiveAt: '2026-01-31T12:00:00.000Z',
          metadata: { order: '7', kind: 'sale' },
        },
      );
      for (const name of ['huge', 'huge again'])
        await post(name, [
          ['abyss', 'debit', HUGE],
          ['whale', 'credit', HUGE],
        ]);
      const patched = await service.send<AccountResource>('PATCH', `${MAIN}/accounts/bob`, {
        headers: { 'idempotency-key': 'patch-bob', 'if-match': '"1"' },
        body: { metadata: { vip: 'yes' } },
      });
      made['bob'] = patched as (typeof made)['bob'];
      position = patched.headers.get('holdfast-position') ?? '';
    });
    afterAll(() => service.stopAndRemove());

    async function open(id: string, body: object): Promise<void> {
      made[id] = await service.command('POST', `${MAIN}/accounts`, {
        id,
        asset: 'EUR',
        normalSide: 'credit',
        ...body,
      });
    }

    async function post(
      name: string,
      legs: readonly [string, string, string][],
      more: object = {},
    ) {
      made[name] = await service.command('POST', `${MAIN}/transfers`, {
        legs: legs.map(([accountId, side, amount]) => ({ accountId, side, amount })),
        ...more,
      });
    }

    /** After everything above. Every answer is held to the OpenAPI document. */
    function get<Body>(path: string, headers: Readonly<Record<string, string>> = {}) {
      const separator = path.includes('?') ? '&' : '?';
      return asked<Body>(`${path}${separator}minPosition=${position}`, headers);
    }

    async function asked<Body>(path: string, headers: Readonly<Record<string, string>> = {}) {
      const reply = await service.get<Body>(path, headers);
      api.hold(path, reply);
      return reply;
    }

    describe('what was made', () => {
      it('is found as the answers to its commands said, with the same version in its ETag', async () => {
        for (const id of ['alice', 'bob', 'abyss']) {
          const { status, body, headers } = await get<AccountResource>(`${MAIN}/accounts/${id}`);
          expect([status, JSON.stringify(body)]).toEqual([200, JSON.stringify(made[id]?.body)]);
          expect(versionOfEtag(headers.get('etag') ?? '')).toBe(
            versionOfEtag(made[id]?.headers.get('etag') ?? ''),
          );
        }
        for (const name of ['funding', 'invoice', 'huge']) {
          const location = made[name]?.headers.get('location') ?? '';
          const { status, body, headers } = await get<TransferResource>(location);
          expect([status, JSON.stringify(body)]).toEqual([200, JSON.stringify(made[name]?.body)]);
          expect(headers.get('etag')).toMatch(/^"1-/);
        }
      });

      it('is listed: ledgers, assets and accounts in the order of their names', async () => {
        const ledgers = await get<Listed<{ id: string }>>('/v1/ledgers');
        const assets = await get<Listed<object>>(`${MAIN}/assets`);
        const accounts = await get<Listed<AccountResource>>(`${MAIN}/accounts`);
        expect(ledgers.body.items.map(({ id }) => id)).toEqual(['empty', 'main', 'other']);
        expect(assets.body).toEqual({
          items: [
            { ledger: 'main', code: 'BIG', scale: 18, registeredAt: expect.any(String) },
            { ledger: 'main', code: 'EUR', scale: 2, registeredAt: expect.any(String) },
          ],
          nextCursor: null,
        });
        expect(accounts.body.items.map(({ id }) => id)).toEqual([
          'abyss',
          'alice',
          'bob',
          'whale',
          'world',
        ]);
        expect(accounts.body.items[1]).toEqual(made['alice']?.body);
      });

      it('is found alone too: a ledger and an asset', async () => {
        const ledger = await get<object>(MAIN);
        const asset = await get<object>('/v1/ledgers/other/assets/EUR');
        expect(ledger.body).toEqual({ id: 'main', openedAt: expect.any(String) });
        expect(asset.body).toMatchObject({ ledger: 'other', code: 'EUR', scale: 0 });
      });

      it('lists nothing in a ledger that has nothing', async () => {
        for (const list of ['assets', 'accounts', 'transfers'])
          expect((await get(`/v1/ledgers/empty/${list}`)).body).toEqual({
            items: [],
            nextCursor: null,
          });
        expect((await get('/v1/ledgers/empty/trial-balance')).body).toEqual({
          ledger: 'empty',
          items: [],
        });
      });
    });

    describe('balances', () => {
      it('say what is posted, pending and available, and have the entry version as ETag', async () => {
        const { body, headers } = await get(`${MAIN}/accounts/alice/balance`);
        expect(headers.get('etag')).toMatch(/^"2-/);
        expect(body).toEqual({
          ledger: 'main',
          accountId: 'alice',
          asset: 'EUR',
          normalSide: 'credit',
          balance: '650',
          available: '650',
          posted: { debits: '350', credits: '1000' },
          pending: { debits: '0', credits: '0' },
          entryVersion: 2,
          changedAt: made['invoice']?.body.recordedAt,
        });
      });

      it('are negative below zero, and exact beyond 36 digits', async () => {
        const world = await get<{ balance: string }>(`${MAIN}/accounts/world/balance`);
        const abyss = await get<{ balance: string }>(`${MAIN}/accounts/abyss/balance`);
        expect(world.body.balance).toBe('-1000');
        expect(abyss.body.balance).toBe(String(BigInt(HUGE) * 2n));
      });

      it('are zero at entry version 0 before anything is posted', async () => {
        await open('newcomer', {});
        const token = made['newcomer']?.headers.get('holdfast-position') ?? '';
        const { body, headers } = await asked(
          `${MAIN}/accounts/newcomer/balance?minPosition=${token}`,
        );
        expect(body).toMatchObject({ balance: '0', available: '0', entryVersion: 0 });
        expect(headers.get('etag')).toMatch(/^"0-/);
      });

      it('are answered with 304 to a client that has the same already', async () => {
        const path = `${MAIN}/accounts/alice/balance`;
        const etag = (await get(path)).headers.get('etag') ?? '';
        const known = await get(path, { 'if-none-match': `W/"1", ${etag}` });
        expect([known.status, known.body, known.headers.get('etag')]).toEqual([
          304,
          undefined,
          etag,
        ]);
        expect(known.headers.get('holdfast-position')).not.toBeNull();
      });

      it('are answered whole to a client that has the same version of something else: a restore gives versions again', async () => {
        const path = `${MAIN}/accounts/alice/balance`;
        for (const other of ['"1"', '"2"', `"2-${'0'.repeat(16)}"`])
          expect((await get(path, { 'if-none-match': other })).status).toBe(200);
      });

      it('add up in the trial balance', async () => {
        const { body } = await get(`${MAIN}/trial-balance`);
        const twice = String(BigInt(HUGE) * 2n);
        expect(body).toEqual({
          ledger: 'main',
          items: [
            { asset: 'BIG', scale: 18, debits: twice, credits: twice, balanced: true },
            { asset: 'EUR', scale: 2, debits: '1350', credits: '1350', balanced: true },
          ],
        });
      });
    });

    describe('statements', () => {
      it('show every leg with the balance after it, several of one transfer too', async () => {
        const { body } = await get(`${MAIN}/accounts/alice/statement`);
        const common = { transferId: made['invoice']?.body.id, reference: 'invoice 4711' };
        const times = {
          effectiveAt: '2026-01-31T12:00:00.000Z',
          recordedAt: made['invoice']?.body.recordedAt,
        };
        expect(body).toEqual({
          ledger: 'main',
          accountId: 'alice',
          asset: 'EUR',
          normalSide: 'credit',
          items: [
            {
              entryVersion: 1,
              line: 0,
              transferId: made['funding']?.body.id,
              reference: null,
              side: 'credit',
              amount: '1000',
              balance: '1000',
              effectiveAt: made['funding']?.body.effectiveAt,
              recordedAt: made['funding']?.body.recordedAt,
            },
            {
              entryVersion: 2,
              line: 0,
              ...common,
              side: 'debit',
              amount: '300',
              balance: '700',
              ...times,
            },
            {
              entryVersion: 2,
              line: 1,
              ...common,
              side: 'debit',
              amount: '50',
              balance: '650',
              ...times,
            },
          ],
          nextCursor: null,
        });
      });

      it('run backward from the last line, in pages', async () => {
        const path = `${MAIN}/accounts/alice/statement?direction=backward&limit=2`;
        const first = await get<Listed<{ balance: string }>>(path);
        const second = await get<Listed<{ balance: string }>>(
          `${path}&cursor=${first.body.nextCursor}`,
        );
        const balances = [first, second].map(({ body }) =>
          body.items.map(({ balance }) => balance),
        );
        expect(balances).toEqual([['650', '700'], ['1000']]);
        expect(second.body.nextCursor).toBeNull();
      });
    });

    describe('transfers', () => {
      async function found(query: string): Promise<(string | undefined)[]> {
        const { status, body } = await get<Listed<TransferResource>>(`${MAIN}/transfers${query}`);
        expect(status).toBe(200);
        const names = ['funding', 'invoice', 'huge', 'huge again'];
        return body.items.map(({ id }) => names.find((name) => made[name]?.body.id === id));
      }

      it.each([
        ['', ['invoice', 'funding', 'huge', 'huge again']],
        ['?direction=backward', ['huge again', 'huge', 'funding', 'invoice']],
        ['?account=alice', ['invoice', 'funding']],
        ['?account=bob', ['invoice']],
        ['?account=nobody', []],
        ['?reference=invoice%204711', ['invoice']],
        ['?reference=invoice', []],
        ['?metadataKey=order&metadataValue=7', ['invoice']],
        ['?metadataKey=order&metadataValue=8', []],
        ['?account=alice&metadataKey=kind&metadataValue=sale', ['invoice']],
        ['?account=world&metadataKey=kind&metadataValue=sale', []],
        ['?account=whale&reference=invoice%204711', []],
        [
          '?effectiveFrom=2026-01-31T12:00:00Z&effectiveBefore=2026-01-31T12:00:00.001Z',
          ['invoice'],
        ],
        ['?effectiveBefore=2026-01-31T12:00:00Z', []],
        ['?effectiveFrom=2026-01-31T12:00:00.001Z&account=alice', ['funding']],
        ['?effectiveBefore=2026-02-01T00:00:00Z&direction=backward', ['invoice']],
        [
          '?effectiveFrom=2026-02-01T00:00:00Z&direction=backward',
          ['huge again', 'huge', 'funding'],
        ],
      ])('are found by %p', async (query, names) => {
        expect(await found(query)).toEqual(names);
      });

      it('are those of their own ledger only', async () => {
        expect((await get('/v1/ledgers/other/transfers?account=alice')).body).toEqual({
          items: [],
          nextCursor: null,
        });
        const elsewhere = await get<Problem>(
          `/v1/ledgers/other/transfers/${made['invoice']?.body.id}`,
        );
        expect(elsewhere.body.type).toBe('/problems/transfer-not-found');
      });
    });

    describe('what is not there', () => {
      it.each([
        ['/v1/ledgers/nowhere', 'ledger-not-found'],
        ['/v1/ledgers/nowhere/assets', 'ledger-not-found'],
        ['/v1/ledgers/nowhere/accounts', 'ledger-not-found'],
        ['/v1/ledgers/nowhere/accounts/alice', 'ledger-not-found'],
        ['/v1/ledgers/nowhere/accounts/alice/balance', 'ledger-not-found'],
        ['/v1/ledgers/nowhere/accounts/alice/statement', 'ledger-not-found'],
        ['/v1/ledgers/nowhere/transfers', 'ledger-not-found'],
        [`/v1/ledgers/nowhere/transfers/${UNKNOWN_UUID}`, 'ledger-not-found'],
        ['/v1/ledgers/nowhere/trial-balance', 'ledger-not-found'],
        [`${MAIN}/assets/USD`, 'asset-not-found'],
        [`${MAIN}/accounts/nobody`, 'account-not-found'],
        [`${MAIN}/accounts/nobody/balance`, 'account-not-found'],
        [`${MAIN}/accounts/nobody/statement`, 'account-not-found'],
        [`${MAIN}/transfers/${UNKNOWN_UUID}`, 'transfer-not-found'],
      ])('%s is 404 %s, and says of which moment', async (path, problem) => {
        const { status, headers, body } = await get<Problem>(path);
        expect([status, body.type]).toEqual([404, `/problems/${problem}`]);
        expect(headers.get('content-type')).toContain('application/problem+json');
        expect(headers.get('holdfast-position')).not.toBeNull();
      });

      it.each([
        ['/v1/ledgers?colour=red', 'invalid-request'],
        ['/v1/ledgers?limit=0', 'invalid-request'],
        ['/v1/ledgers?limit=1001', 'invalid-request'],
        ['/v1/ledgers?limit=ten', 'invalid-request'],
        ['/v1/ledgers?limit=1&limit=2', 'invalid-request'],
        ['/v1/ledgers?direction=sideways', 'invalid-request'],
        ['/v1/ledgers?cursor=nonsense', 'cursor-invalid'],
        [`${MAIN}/accounts/alice?limit=1`, 'invalid-request'],
        [`${MAIN}/accounts/no%20body`, 'invalid-request'],
        [`${MAIN}/transfers/4711`, 'invalid-request'],
        [`${MAIN}/transfers?effectiveFrom=yesterday`, 'invalid-request'],
        [`${MAIN}/transfers?metadataKey=order`, 'invalid-request'],
        [`${MAIN}/transfers?metadataValue=7`, 'invalid-request'],
      ])('%s is 400 %s', async (path, problem) => {
        const { status, body } = await asked<Problem>(path);
        expect([status, body.type]).toEqual([400, `/problems/${problem}`]);
      });

      it('refuses the cursor of another list, of other conditions and of the other direction', async () => {
        const { body } = await get<Listed<object>>(`${MAIN}/transfers?limit=1`);
        const cursor = body.nextCursor ?? '';
        for (const path of [
          '/v1/ledgers/other/transfers?',
          `${MAIN}/accounts/alice/statement?`,
          `${MAIN}/transfers?account=alice&`,
          `${MAIN}/transfers?direction=backward&`,
        ]) {
          const reply = await asked<Problem>(`${path}cursor=${cursor}`);
          expect([path, reply.status, reply.body.type]).toEqual([
            path,
            400,
            '/problems/cursor-invalid',
          ]);
        }
        expect((await service.get(`${MAIN}/transfers?limit=2&cursor=${cursor}`)).status).toBe(200);
      });
    });

    describe('the OpenAPI document', () => {
      it('has every query', () => {
        const queries = Object.entries(api.paths).filter(
          ([, methods]) => methods.get !== undefined,
        );
        expect(queries.map(([path]) => path).sort()).toEqual([
          '/v1/ledgers',
          '/v1/ledgers/{ledger}',
          '/v1/ledgers/{ledger}/accounts',
          '/v1/ledgers/{ledger}/accounts/{account}',
          '/v1/ledgers/{ledger}/accounts/{account}/balance',
          '/v1/ledgers/{ledger}/accounts/{account}/statement',
          '/v1/ledgers/{ledger}/assets',
          '/v1/ledgers/{ledger}/assets/{asset}',
          '/v1/ledgers/{ledger}/commands/{key}',
          '/v1/ledgers/{ledger}/events',
          '/v1/ledgers/{ledger}/transfers',
          '/v1/ledgers/{ledger}/transfers/{transfer}',
          '/v1/ledgers/{ledger}/trial-balance',
        ]);
      });
    });
  });
}

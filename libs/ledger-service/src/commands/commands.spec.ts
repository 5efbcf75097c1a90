import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { answerOfReply, TestCommandService } from './testing/command-service.js';
import { LEDGER, openWorld, transfer } from './testing/world.js';

let service: TestCommandService;
let keys = 0;
const newKey = () => `key-${(keys += 1)}`;

beforeAll(async () => {
  service = await TestCommandService.start();
  await openWorld(service);
});
afterAll(() => service.stopAndRemove());

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

async function openAccount(body: object = {}) {
  const reply = await service.send('POST', `${LEDGER}/accounts`, {
    key: newKey(),
    body: { asset: 'EUR', normalSide: 'credit', ...body },
  });
  expect(reply.status).toBe(201);
  return reply.body as { id: string; version: number };
}

describe('what is made', () => {
  it('opens a ledger once, and says so every time', async () => {
    const first = await service.send('PUT', '/v1/ledgers/second');
    const second = await service.send('PUT', '/v1/ledgers/second', { body: {} });
    expect(first.body).toEqual({ id: 'second', openedAt: expect.stringMatching(INSTANT) });
    expect([first.status, first.headers.get('location')]).toEqual([201, '/v1/ledgers/second']);
    expect([second.status, second.text]).toEqual([200, first.text]);
    expect(second.headers.get('holdfast-position')).toBe(first.headers.get('holdfast-position'));
  });

  it('registers an asset once, and says so every time', async () => {
    const path = `${LEDGER}/assets/JPY`;
    const first = await service.send('PUT', path, { body: { scale: 0 } });
    const second = await service.send('PUT', path, { body: { scale: 0 } });
    expect(first.body).toEqual({
      ledger: 'main',
      code: 'JPY',
      scale: 0,
      registeredAt: expect.stringMatching(INSTANT),
    });
    expect([first.status, first.headers.get('location')]).toEqual([201, path]);
    expect([second.status, second.text]).toEqual([200, first.text]);
  });

  it('opens an account with a place, a version and defaults', async () => {
    const { status, headers, body } = await service.send('POST', `${LEDGER}/accounts`, {
      key: newKey(),
      body: { id: 'user:42', asset: 'EUR', normalSide: 'debit', metadata: { owner: 'Zoë' } },
    });
    expect([status, headers.get('location'), headers.get('etag')]).toEqual([
      201,
      `${LEDGER}/accounts/user:42`,
      '"1"',
    ]);
    expect(body).toEqual({
      ledger: 'main',
      id: 'user:42',
      asset: 'EUR',
      normalSide: 'debit',
      floor: '0',
      ceiling: null,
      status: 'active',
      metadata: { owner: 'Zoë' },
      version: 1,
      openedAt: expect.stringMatching(INSTANT),
    });
  });

  it('gives an account an id when its client gave none', async () => {
    expect((await openAccount()).id).toMatch(UUID);
  });

  it('posts a transfer with a reference, a time of effect and metadata', async () => {
    const { status, headers, body } = await service.send('POST', `${LEDGER}/transfers`, {
      key: newKey(),
      body: transfer('world', 'bob', '30', {
        reference: 'invoice 1',
        effectiveAt: '2024-02-29T12:00:00Z',
        metadata: { order: '7' },
      }),
    });
    expect(status).toBe(201);
    expect(body).toEqual({
      ledger: 'main',
      id: expect.stringMatching(UUID),
      reference: 'invoice 1',
      effectiveAt: '2024-02-29T12:00:00.000Z',
      recordedAt: expect.stringMatching(INSTANT),
      legs: [
        { accountId: 'world', side: 'debit', amount: '30', asset: 'EUR' },
        { accountId: 'bob', side: 'credit', amount: '30', asset: 'EUR' },
      ],
      metadata: { order: '7' },
      version: 1,
    });
    expect(headers.get('location')).toBe(`${LEDGER}/transfers/${String(body['id'])}`);
    expect([headers.get('etag'), headers.get('holdfast-position')]).toEqual([
      '"1"',
      expect.stringMatching(/^[\w-]{36}$/),
    ]);
  });
});

describe('what is changed', () => {
  it("changes an account's floor, ceiling and metadata, and counts it", async () => {
    const { id } = await openAccount({ metadata: { a: '1', b: '2' } });
    const { status, headers, body } = await service.send('PATCH', `${LEDGER}/accounts/${id}`, {
      key: newKey(),
      headers: { 'if-match': '"1"' },
      body: { floor: null, ceiling: '50', metadata: { a: null, c: '3' } },
    });
    expect([status, headers.get('etag'), headers.has('location')]).toEqual([200, '"2"', false]);
    expect(body).toMatchObject({
      floor: null,
      ceiling: '50',
      metadata: { b: '2', c: '3' },
      version: 2,
    });
  });

  it('freezes, unfreezes and closes an account', async () => {
    const { id } = await openAccount();
    for (const [index, status] of ['frozen', 'debit_frozen', 'active', 'closed'].entries()) {
      const reply = await service.send('PUT', `${LEDGER}/accounts/${id}/status`, {
        key: newKey(),
        headers: { 'if-match': `"${index + 1}"` },
        body: { status },
      });
      expect([reply.status, reply.body['status'], reply.headers.get('etag')]).toEqual([
        200,
        status,
        `"${index + 2}"`,
      ]);
    }
  });

  it("changes a transfer's metadata and nothing else", async () => {
    const posted = await service.send('POST', `${LEDGER}/transfers`, {
      key: newKey(),
      body: transfer('world', 'bob', '1', { metadata: { a: '1' } }),
    });
    const id = String(posted.body['id']);
    const { status, headers, body } = await service.send(
      'PATCH',
      `${LEDGER}/transfers/${id}/metadata`,
      { key: newKey(), headers: { 'if-match': '"1"' }, body: { metadata: { a: null, b: '2' } } },
    );
    expect([status, headers.get('etag')]).toEqual([200, '"2"']);
    expect(body).toEqual({ ledger: 'main', transferId: id, metadata: { b: '2' }, version: 2 });
  });
});

describe('what is refused', () => {
  const post = (body: object) =>
    service.send('POST', `${LEDGER}/transfers`, { key: newKey(), body });

  /** The refusal, its parameters, and that it is in the log. */
  async function expectRejection(
    attempt: () => ReturnType<typeof post>,
    status: number,
    problem: string,
    parameters: object,
  ): Promise<void> {
    const before = service.lastPosition;
    const reply = await attempt();
    expect(reply.body).toEqual({
      type: `/problems/${problem}`,
      title: expect.any(String),
      status,
      detail: expect.any(String),
      ...parameters,
    });
    expect([reply.status, reply.headers.get('content-type')]).toEqual([
      status,
      'application/problem+json; charset=utf-8',
    ]);
    expect(reply.headers.get('holdfast-position')).toMatch(/^[\w-]{36}$/);
    expect(service.lastPosition).toBe(before + 1);
  }

  it('a debit below the floor', () =>
    expectRejection(() => post(transfer('alice', 'bob', '5000')), 422, 'insufficient-funds', {
      accountId: 'alice',
      needed: '5000',
      available: '1000',
      floor: '0',
    }));

  it('a credit above the ceiling', async () => {
    const { id } = await openAccount({ ceiling: '10' });
    await expectRejection(() => post(transfer('world', id, '11')), 422, 'ceiling-exceeded', {
      accountId: id,
      added: '11',
      balance: '0',
      ceiling: '10',
    });
  });

  it('legs that do not balance', () =>
    expectRejection(
      () =>
        post({
          legs: [
            { accountId: 'world', side: 'debit', amount: '2' },
            { accountId: 'bob', side: 'credit', amount: '3' },
          ],
        }),
      422,
      'legs-unbalanced',
      { asset: 'EUR', debits: '2', credits: '3' },
    ));

  it('an amount that no counter holds', async () => {
    const [from, to] = [await openAccount({ floor: null }), await openAccount()];
    const amount = '9'.repeat(36);
    const body = {
      legs: Array.from({ length: 64 }, (_, index) =>
        index % 2 === 0
          ? { accountId: from.id, side: 'debit', amount }
          : { accountId: to.id, side: 'credit', amount },
      ),
    };
    // 32 × 10^36 a transfer: 2^127 is about 170 × 10^36.
    for (let count = 0; count < 5; count++) expect((await post(body)).status).toBe(201);
    await expectRejection(() => post(body), 422, 'amount-overflow', {
      accountId: from.id,
      counter: 'debitsPosted',
    });
  });

  it('a reference that was used, naming the transfer that has it', async () => {
    const first = await post(transfer('world', 'bob', '1', { reference: 'once' }));
    await expectRejection(
      () => post(transfer('world', 'bob', '1', { reference: 'once' })),
      409,
      'reference-exists',
      { reference: 'once', transferId: first.body['id'] },
    );
  });

  it('a time of effect in the future', () =>
    expectRejection(
      () => post(transfer('world', 'bob', '1', { effectiveAt: '2999-01-01T00:00:00Z' })),
      422,
      'effective-in-future',
      { effectiveAt: '2999-01-01T00:00:00.000Z', now: expect.stringMatching(INSTANT) },
    ));

  it('a balance that has changed since it was seen', () =>
    expectRejection(
      () =>
        post({
          legs: [
            { accountId: 'world', side: 'debit', amount: '1' },
            { accountId: 'alice', side: 'credit', amount: '1', expectedVersion: 0 },
          ],
        }),
      412,
      'version-mismatch',
      { resource: 'balance', id: 'alice', expectedVersion: 0, actualVersion: 1 },
    ));

  it.each([
    ['frozen', 'account-frozen', { accountStatus: 'frozen' }],
    ['debit_frozen', 'account-frozen', { accountStatus: 'debit_frozen' }],
    ['closed', 'account-closed', {}],
  ])('a debit of an account that is %s', async (status, problem, parameters) => {
    const { id } = await openAccount({ floor: null });
    await service.send('PUT', `${LEDGER}/accounts/${id}/status`, {
      key: newKey(),
      headers: { 'if-match': '"1"' },
      body: { status },
    });
    await expectRejection(() => post(transfer(id, 'bob', '1')), 409, problem, {
      accountId: id,
      ...parameters,
    });
  });

  it('an account that is not there, in a transfer and in a change', async () => {
    const parameters = { accountId: 'nobody' };
    await expectRejection(
      () => post(transfer('nobody', 'bob', '1')),
      404,
      'account-not-found',
      parameters,
    );
    await expectRejection(
      () =>
        service.send('PATCH', `${LEDGER}/accounts/nobody`, {
          key: newKey(),
          body: { floor: null },
        }),
      404,
      'account-not-found',
      parameters,
    );
  });

  it('an account that exists, and one of an unknown asset', async () => {
    const open = (body: object) => () =>
      service.send('POST', `${LEDGER}/accounts`, { key: newKey(), body });
    await expectRejection(
      open({ id: 'alice', asset: 'EUR', normalSide: 'credit' }),
      409,
      'account-exists',
      { accountId: 'alice', asset: 'EUR', normalSide: 'credit' },
    );
    await expectRejection(open({ asset: 'XYZ', normalSide: 'credit' }), 404, 'asset-not-found', {
      asset: 'XYZ',
    });
  });

  it('a change of a version that was not seen', async () => {
    const change = (method: string, path: string, body: object) => () =>
      service.send(method, path, { key: newKey(), headers: { 'if-match': '"9"' }, body });
    const parameters = { resource: 'account', id: 'bob', expectedVersion: 9, actualVersion: 1 };
    const path = `${LEDGER}/accounts/bob`;
    await expectRejection(
      change('PATCH', path, { ceiling: null }),
      412,
      'version-mismatch',
      parameters,
    );
    await expectRejection(
      change('PUT', `${path}/status`, { status: 'frozen' }),
      412,
      'version-mismatch',
      parameters,
    );
  });

  it('closing an account that holds money', () =>
    expectRejection(
      () =>
        service.send('PUT', `${LEDGER}/accounts/alice/status`, {
          key: newKey(),
          headers: { 'if-match': '"1"' },
          body: { status: 'closed' },
        }),
      409,
      'account-not-empty',
      { accountId: 'alice', balance: '1000', debitsPending: '0', creditsPending: '0' },
    ));

  it('the metadata of a transfer that is not there', () => {
    const transferId = '0192f0c1-7b3a-7cc1-8a51-5d2c0b7e9f10';
    return expectRejection(
      () =>
        service.send('PATCH', `${LEDGER}/transfers/${transferId}/metadata`, {
          key: newKey(),
          body: { metadata: { a: '1' } },
        }),
      404,
      'transfer-not-found',
      { transferId },
    );
  });

  it('another scale of a registered asset, without a record because it has no key', async () => {
    const before = service.lastPosition;
    const reply = await service.send('PUT', `${LEDGER}/assets/EUR`, { body: { scale: 3 } });
    expect(reply.body).toMatchObject({
      type: '/problems/asset-scale-differs',
      status: 409,
      asset: 'EUR',
      scale: 2,
      requestedScale: 3,
    });
    expect(service.lastPosition).toBe(before);
  });

  it('anything in a ledger that is not open, without a record', async () => {
    const before = service.lastPosition;
    const reply = await service.send('POST', '/v1/ledgers/nowhere/transfers', {
      key: newKey(),
      body: transfer('world', 'bob', '1'),
    });
    expect(reply.body).toMatchObject({
      type: '/problems/ledger-not-found',
      status: 404,
      ledger: 'nowhere',
    });
    expect(service.lastPosition).toBe(before);
  });
});

describe('dry runs', () => {
  it('answer with what there would be, need no key and leave no trace', async () => {
    const before = service.lastPosition;
    const reply = await service.send('POST', `${LEDGER}/transfers?dryRun=true`, {
      body: transfer('alice', 'bob', '1000', { reference: 'rehearsal' }),
    });
    expect(answerOfReply(reply)).toEqual({
      status: 200,
      headers: { 'content-type': 'application/json; charset=utf-8' },
      text: expect.stringContaining('"reference":"rehearsal"'),
    });
    expect(reply.headers.get('holdfast-dry-run')).toBe('true');
    expect(service.lastPosition).toBe(before);
  });

  it('answer with the refusal there would be', async () => {
    const before = service.lastPosition;
    const reply = await service.send('POST', `${LEDGER}/transfers?dryRun=true`, {
      body: transfer('alice', 'bob', '1001'),
    });
    expect([reply.status, reply.body['type'], reply.headers.get('holdfast-dry-run')]).toEqual([
      422,
      '/problems/insufficient-funds',
      'true',
    ]);
    expect(reply.headers.has('holdfast-position')).toBe(false);
    expect(service.lastPosition).toBe(before);
  });

  const match = { 'if-match': '"1"' };

  it.each<[string, string, object | undefined, Record<string, string>]>([
    ['PUT', '/v1/ledgers/third', undefined, {}],
    ['PUT', LEDGER, undefined, {}],
    ['PUT', `${LEDGER}/assets/CHF`, { scale: 2 }, {}],
    ['PUT', `${LEDGER}/assets/EUR`, { scale: 2 }, {}],
    ['POST', `${LEDGER}/accounts`, { asset: 'EUR', normalSide: 'credit' }, {}],
    ['PATCH', `${LEDGER}/accounts/bob`, { floor: null }, match],
    ['PUT', `${LEDGER}/accounts/bob/status`, { status: 'frozen' }, match],
  ])(
    'rehearse %s %s, whatever its key, with nothing that has a place',
    async (method, path, body, headers) => {
      const before = service.lastPosition;
      for (const key of [undefined, 'fund-alice', 'a b', 'k'.repeat(300)]) {
        const reply = await service.send(method, `${path}?dryRun=true`, {
          ...(body && { body }),
          ...(key !== undefined && { key }),
          headers,
        });
        expect([reply.status, service.lastPosition]).toEqual([200, before]);
        for (const name of ['location', 'etag', 'holdfast-position', 'idempotency-replayed'])
          expect([name, reply.headers.get(name)]).toEqual([name, null]);
      }
    },
  );
});

it('lets 64 concurrent transfers take what there is and no more', async () => {
  const { id } = await openAccount();
  await service.send('POST', `${LEDGER}/transfers`, {
    key: newKey(),
    body: transfer('world', id, '100'),
  });
  const replies = await Promise.all(
    Array.from({ length: 64 }, () =>
      service.send('POST', `${LEDGER}/transfers`, {
        key: newKey(),
        body: transfer(id, 'bob', '7'),
      }),
    ),
  );
  const statuses = replies.map(({ status }) => status).sort();
  expect(statuses).toEqual([
    ...Array.from({ length: 14 }, () => 201),
    ...Array.from({ length: 50 }, () => 422),
  ]);
  for (const { status, body } of replies)
    if (status === 422) expect(body).toMatchObject({ available: '2', needed: '7' });
});

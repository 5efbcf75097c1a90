import type { PostTransferLeg } from '@holdfast/ledger';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { TestCommandService, type TestRequest, answerOfReply } from './testing/command-service.js';
import { requestHash } from '@holdfast/nestjs/http';
import { FaultyDisk } from './testing/faulty-disk.js';
import { LEDGER, openWorld, transfer } from './testing/world.js';

let service: TestCommandService;

beforeEach(async () => {
  service = await TestCommandService.start();
  await openWorld(service);
});
afterEach(() => service.stopAndRemove());

/** One request of every kind that takes a key: accepted and refused. */
async function everyRequest(): Promise<[method: string, path: string, request: TestRequest][]> {
  const posted = await service.send('POST', `${LEDGER}/transfers`, {
    key: 'posted',
    body: transfer('world', 'bob', '1'),
  });
  const metadata = `${LEDGER}/transfers/${String(posted.body['id'])}/metadata`;
  const account = `${LEDGER}/accounts/bob`;
  const match = (version: number) => ({ headers: { 'if-match': `"${version}"` } });
  return [
    ['PUT', '/v1/ledgers/keyed', { key: 'ledger' }],
    ['PUT', '/v1/ledgers/keyed', { key: 'ledger-2' }],
    ['PUT', `${LEDGER}/assets/CHF`, { key: 'asset', body: { scale: 2 } }],
    ['PUT', `${LEDGER}/assets/CHF`, { key: 'asset-2', body: { scale: 2 } }],
    ['POST', `${LEDGER}/accounts`, { key: 'open', body: { asset: 'EUR', normalSide: 'debit' } }],
    ['POST', `${LEDGER}/accounts`, { key: 'open-2', body: { asset: 'XXX', normalSide: 'debit' } }],
    ['PATCH', account, { key: 'change', ...match(1), body: { metadata: { b: '1', a: '2' } } }],
    ['PATCH', account, { key: 'change-2', ...match(1), body: { floor: null } }],
    ['PUT', `${account}/status`, { key: 'status', ...match(2), body: { status: 'frozen' } }],
    ['PUT', `${account}/status`, { key: 'status-2', ...match(3), body: { status: 'closed' } }],
    ['POST', `${LEDGER}/transfers`, { key: 'transfer', body: transfer('world', 'alice', '5') }],
    ['POST', `${LEDGER}/transfers`, { key: 'poor', body: transfer('alice', 'world', '99999') }],
    ['POST', `${LEDGER}/transfers`, { key: 'cold', body: transfer('bob', 'world', '1') }],
    ['PATCH', metadata, { key: 'metadata', ...match(1), body: { metadata: { a: 'ä' } } }],
    ['PATCH', metadata, { key: 'metadata-2', ...match(1), body: { metadata: { a: null } } }],
  ];
}

describe('a repeated request', () => {
  it('is answered byte for byte as it was the first time, whatever happened since, and after a restart', async () => {
    const requests = await everyRequest();
    const first = [];
    for (const request of requests) first.push(await service.send(...request));
    expect(first.map(({ headers }) => headers.has('idempotency-replayed'))).not.toContain(true);
    expect(new Set(first.map(({ status }) => status))).toEqual(
      new Set([200, 201, 404, 409, 412, 422]),
    );
    const position = service.lastPosition;
    for (let round = 0; round < 2; round++) {
      for (const [index, request] of requests.entries()) {
        const again = await service.send(...request);
        expect(answerOfReply(again)).toEqual(answerOfReply(first[index]!));
        expect(again.headers.get('idempotency-replayed')).toBe('true');
      }
      expect(service.lastPosition).toBe(position);
      service = await service.restart();
    }
  });

  it('is the same request whatever the order and the spaces of its JSON', async () => {
    const { legs } = transfer('world', 'bob', '1') as { legs: object[] };
    const first = await service.send('POST', `${LEDGER}/transfers`, {
      key: 'order',
      body: { legs, metadata: { a: '1', b: '2' }, reference: 'r' },
    });
    const again = await service.send('POST', `${LEDGER}/transfers?dryRun=false`, {
      key: 'order',
      text: JSON.stringify({ reference: 'r', metadata: { b: '2', a: '1' }, legs }, null, 2),
    });
    expect(again.text).toBe(first.text);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
  });

  it('is the same request whether its key is bare or a quoted string', async () => {
    const body = transfer('world', 'bob', '1');
    const first = await service.send('POST', `${LEDGER}/transfers`, { key: 'q-1', body });
    const again = await service.send('POST', `${LEDGER}/transfers`, { key: '"q-1"', body });
    expect([again.text, again.headers.get('idempotency-replayed')]).toEqual([first.text, 'true']);
  });

  it('is the same request when its key is quoted in a bulk', async () => {
    const body = transfer('world', 'bob', '1');
    const inBulk = (idempotencyKey: string) => ({ type: 'PostTransfer', idempotencyKey, body });
    const first = await service.send('POST', `${LEDGER}/transfers`, { key: '"q-2"', body });
    for (const spelled of ['"q-2"', 'q-2', '"\\"q-2\\""']) {
      const bulk = await service.send('POST', `${LEDGER}/bulk`, {
        body: { commands: [inBulk(spelled)] },
      });
      expect(bulk.body['results']).toMatchObject([
        { status: 201, headers: { 'Idempotency-Replayed': 'true' }, body: first.body },
      ]);
    }
    await service.send('POST', `${LEDGER}/bulk`, { body: { commands: [inBulk('"q-3"')] } });
    const alone = await service.send('POST', `${LEDGER}/transfers`, { key: 'q-3', body });
    expect(alone.headers.get('idempotency-replayed')).toBe('true');
    const twice = await service.send('POST', `${LEDGER}/bulk`, {
      body: { commands: [inBulk('q-4'), inBulk('"q-4"')] },
    });
    expect([twice.status, twice.body['type']]).toEqual([400, '/problems/invalid-request']);
  });

  it('is found under a spelling that an earlier release recorded', async () => {
    const body = transfer('world', 'bob', '1') as { legs: PostTransferLeg[] };
    const path = `${LEDGER}/transfers`;
    const record = (key: string, legs: PostTransferLeg[]) =>
      service.writer.execute(
        { type: 'PostTransfer', ledger: 'main', legs },
        {
          actor: 'anonymous',
          idempotency: { key, bodyHash: requestHash({ method: 'POST', path, body: { legs } }) },
        },
      );
    await record('"old"', body.legs);
    // The upgrade: this program is opened on what another has written.
    service = await service.restart();
    const before = service.lastPosition;
    const commands = [{ type: 'PostTransfer', idempotencyKey: '"old"', body }];
    const bulk = await service.send('POST', `${LEDGER}/bulk`, { body: { commands } });
    const alone = await service.send('POST', path, { key: '"old"', body });
    expect(bulk.body['results']).toMatchObject([{ status: 201, body: alone.body }]);
    expect(alone.headers.get('idempotency-replayed')).toBe('true');
    const found = await service.send('GET', `${LEDGER}/commands/%22old%22`);
    expect(found.body).toMatchObject({ key: '"old"', answer: { body: alone.body } });
    // In whatever spelling it is sent today.
    for (const spelled of ['old', '"\\"old\\""']) {
      const again = await service.send('POST', path, { key: spelled, body });
      expect([again.text, again.headers.get('idempotency-replayed')]).toEqual([alone.text, 'true']);
      const inBulk = await service.send('POST', `${LEDGER}/bulk`, {
        body: { commands: [{ type: 'PostTransfer', idempotencyKey: spelled, body }] },
      });
      expect(inBulk.body['results']).toMatchObject([
        { status: 201, headers: { 'Idempotency-Replayed': 'true' }, body: alone.body },
      ]);
      const sought = await service.send('GET', `${LEDGER}/commands/${encodeURIComponent(spelled)}`);
      expect(sought.body).toMatchObject({ key: '"old"', answer: { body: alone.body } });
    }
    await record('"\\"older\\""', body.legs);
    const older = await service.send('POST', path, { key: 'older', body });
    expect(older.headers.get('idempotency-replayed')).toBe('true');
    expect(service.lastPosition).toBe(before + 1);

    // Recorded twice by an earlier release, under both spellings and for different requests.
    const other = transfer('world', 'bob', '2') as typeof body;
    await record('"both"', body.legs);
    await record('both', other.legs);
    for (const [key, { legs }] of [
      ['"both"', body],
      ['both', other],
    ] as const) {
      const sought = await service.send('GET', `${LEDGER}/commands/${encodeURIComponent(key)}`);
      expect(sought.body).toMatchObject({ key, answer: { body: { legs } } });
    }
    for (const sent of [body, other])
      for (const key of ['"both"', 'both']) {
        const again = await service.send('POST', path, { key, body: sent });
        expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([201, 'true']);
      }
  });

  it('is answered as it was by an earlier release, which ignored If-Match where nothing is compared with it', async () => {
    const { legs } = transfer('world', 'bob', '1') as { legs: PostTransferLeg[] };
    const path = `${LEDGER}/transfers`;
    const bodyHash = requestHash({ method: 'POST', path, ifMatch: '"1"', body: { legs } });
    await service.writer.execute(
      { type: 'PostTransfer', ledger: 'main', legs },
      { actor: 'anonymous', idempotency: { key: 'matched', bodyHash } },
    );
    const headers = { 'if-match': '"1"' };
    const again = await service.send('POST', path, { key: 'matched', headers, body: { legs } });
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([201, 'true']);
    const fresh = await service.send('POST', path, { key: 'fresh', headers, body: { legs } });
    expect([fresh.status, fresh.body['type']]).toEqual([400, '/problems/invalid-request']);
  });

  it('is answered as it was in a bulk with If-Match too, unless one of its keys is new', async () => {
    const item = (idempotencyKey: string) => ({
      ...{ type: 'PostTransfer', idempotencyKey },
      body: transfer('world', 'bob', '1'),
    });
    const send = (headers: Record<string, string>, path: string, ...keys: string[]) =>
      service.send('POST', `${LEDGER}/bulk${path}`, {
        ...{ headers, body: { commands: keys.map(item) } },
      });
    const first = await send({}, '', 'one', 'two');
    const headers = { 'if-match': '"1"' };
    const again = await send(headers, '', 'one', 'two');
    expect([again.status, again.body['results']]).toEqual([
      200,
      (first.body['results'] as { headers: object }[]).map((result) => ({
        ...result,
        headers: { ...result.headers, 'Idempotency-Replayed': 'true' },
      })),
    ]);
    const before = service.lastPosition;
    for (const refused of [
      await send(headers, '', 'one', 'three'),
      await send(headers, '?dryRun=true', 'one', 'two'),
    ])
      expect([refused.status, refused.body['type']]).toEqual([400, '/problems/invalid-request']);
    expect(service.lastPosition).toBe(before);
  });

  it('moves money once when it is sent twice at the same time', async () => {
    const request = { key: 'twice', body: transfer('alice', 'bob', '600') };
    const replies = await Promise.all(
      Array.from({ length: 16 }, () => service.send('POST', `${LEDGER}/transfers`, request)),
    );
    const made = replies.filter(({ status }) => status === 201);
    const inFlight = replies.filter(({ status }) => status === 409);
    expect(made.length + inFlight.length).toBe(16);
    expect(new Set(made.map(({ text }) => text)).size).toBe(1);
    for (const { body } of inFlight) expect(body['type']).toBe('/problems/idempotency-in-flight');
    expect((await service.send('POST', `${LEDGER}/transfers`, request)).text).toBe(made[0]?.text);
  });
});

describe('a key', () => {
  it.each<[string, Partial<TestRequest> & { method?: string; path?: string }]>([
    ['another body', { body: transfer('world', 'bob', '2') }],
    ['another member', { body: transfer('world', 'bob', '1', { reference: 'r' }) }],
    ['another path', { path: '/accounts', body: { asset: 'EUR', normalSide: 'credit' } }],
    ['If-Match', { method: 'PATCH', path: '/accounts/bob', body: { floor: null } }],
  ])('is refused for %s', async (_what, { method = 'POST', path = '/transfers', ...request }) => {
    await service.send('POST', `${LEDGER}/transfers`, {
      key: 'used',
      body: transfer('world', 'bob', '1'),
    });
    const before = service.lastPosition;
    const reply = await service.send(method, `${LEDGER}${path}`, { key: 'used', ...request });
    expect(reply.body).toMatchObject({
      type: '/problems/idempotency-key-reused',
      status: 422,
      key: 'used',
    });
    expect(service.lastPosition).toBe(before);
  });

  it('tells an If-Match from none and from another', async () => {
    const change = (headers: Record<string, string>) =>
      service.send('PATCH', `${LEDGER}/accounts/bob`, { key: 'm', headers, body: { floor: null } });
    expect((await change({ 'if-match': '"1"' })).status).toBe(200);
    expect((await change({ 'if-match': '"2"' })).status).toBe(422);
    expect((await change({})).status).toBe(422);
    expect((await change({ 'if-match': '"1"' })).status).toBe(200);
  });

  it('belongs to its ledger', async () => {
    await service.send('PUT', '/v1/ledgers/other');
    const open = (ledger: string) =>
      service.send('POST', `/v1/ledgers/${ledger}/accounts`, {
        key: 'shared',
        body: { asset: 'EUR', normalSide: 'credit' },
      });
    expect([(await open('main')).status, (await open('other')).status]).toEqual([201, 404]);
  });

  it('of a refused command stays refused when there is money again', async () => {
    const request = { key: 'late', body: transfer('alice', 'bob', '1500') };
    const refused = await service.send('POST', `${LEDGER}/transfers`, request);
    await service.send('POST', `${LEDGER}/transfers`, {
      key: 'more',
      body: transfer('world', 'alice', '1000'),
    });
    const again = await service.send('POST', `${LEDGER}/transfers`, request);
    expect([refused.status, again.status, again.text]).toEqual([422, 422, refused.text]);
  });
});

describe('GET /commands/{key}', () => {
  it.each([
    ['accepted', '10', 201],
    ['rejected', '99999', 422],
  ])('tells what a command was answered that was %s', async (outcome, amount, status) => {
    const key = 'a/strange %"key"?';
    const visible = key.replaceAll(' ', '+');
    const reply = await service.send('POST', `${LEDGER}/transfers`, {
      key: visible,
      body: transfer('alice', 'bob', amount),
    });
    for (let round = 0; round < 2; round++) {
      const found = await service.send('GET', `${LEDGER}/commands/${encodeURIComponent(visible)}`);
      const answer = found.body['answer'] as Record<string, unknown>;
      expect([found.status, reply.status]).toEqual([200, status]);
      expect(found.body).toMatchObject({ key: visible, outcome });
      expect(`${JSON.stringify(answer['body'])}\n`).toBe(reply.text);
      expect(answer['status']).toBe(status);
      expect(answer['headers']).toMatchObject({
        'Holdfast-Position': reply.headers.get('holdfast-position'),
      });
      service = await service.restart();
    }
  });

  it('finds a key however it is spelled', async () => {
    await service.send('POST', `${LEDGER}/transfers`, {
      key: '"pay-2"',
      body: transfer('world', 'bob', '1'),
    });
    for (const spelled of ['%22pay-2%22', 'pay-2']) {
      const found = await service.send('GET', `${LEDGER}/commands/${spelled}`);
      expect([found.status, found.body['key']]).toEqual([200, 'pay-2']);
    }
  });

  it('knows nothing of keys that were never used, of other ledgers, and of malformed requests', async () => {
    await service.send('POST', `${LEDGER}/transfers`, { key: 'bad', body: { legs: [] } });
    for (const key of ['never', 'bad'])
      expect((await service.send('GET', `${LEDGER}/commands/${key}`)).body).toMatchObject({
        type: '/problems/command-not-found',
        status: 404,
        key,
      });
    expect((await service.send('GET', '/v1/ledgers/none/commands/x')).body['type']).toBe(
      '/problems/ledger-not-found',
    );
  });
});

describe('while the first request waits for the disk', () => {
  it('a second one is told so, and GET /commands waits for what it saw', async () => {
    await service.stopAndRemove();
    const disk = new FaultyDisk();
    service = await TestCommandService.start({ wal: { fileSystem: disk, ioMode: 'asynchronous' } });
    await openWorld(service);

    disk.hold();
    const request = { key: 'slow', body: transfer('alice', 'bob', '1') };
    let answered = 0;
    const count = <Reply>(reply: Reply) => ((answered += 1), reply);
    const first = service.send('POST', `${LEDGER}/transfers`, request).then(count);
    while (service.writer.log.lastPosition === service.writer.log.durablePosition)
      await new Promise((resolve) => setTimeout(resolve, 1));
    const second = await service.send('POST', `${LEDGER}/transfers`, request);
    const found = service.send('GET', `${LEDGER}/commands/slow`).then(count);
    const dry = service
      .send('POST', `${LEDGER}/transfers?dryRun=true`, { body: transfer('alice', 'bob', '1000') })
      .then(count);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([second.status, second.body['type'], second.headers.get('retry-after')]).toEqual([
      409,
      '/problems/idempotency-in-flight',
      '1',
    ]);
    expect(answered).toBe(0);

    disk.release();
    expect((await first).status).toBe(201);
    expect((await found).body).toMatchObject({ key: 'slow', outcome: 'accepted' });
    expect((await dry).body).toMatchObject({ available: '999' });
    const third = await service.send('POST', `${LEDGER}/transfers`, request);
    expect([third.text, third.headers.get('idempotency-replayed')]).toEqual([
      (await first).text,
      'true',
    ]);
  });
});

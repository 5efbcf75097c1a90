import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { TestCommandService, type TestReply } from '../testing/command-service.js';
import { LEDGER, openWorld, transfer } from '../testing/world.js';

let service: TestCommandService;

beforeEach(async () => {
  service = await TestCommandService.start();
  await openWorld(service);
});
afterEach(() => service.stopAndRemove());

interface ItemAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
}

const bulk = (commands: readonly unknown[], query = '') =>
  service.send('POST', `${LEDGER}/bulk${query}`, { body: { commands } });

function resultsOf(reply: TestReply): readonly ItemAnswer[] {
  expect(reply.status).toBe(200);
  return reply.body['results'] as readonly ItemAnswer[];
}

const post = (key: string, from: string, to: string, amount: string, more: object = {}) => ({
  type: 'PostTransfer',
  idempotencyKey: key,
  body: transfer(from, to, amount, more),
});
const open = (key: string, body: object = {}) => ({
  type: 'OpenAccount',
  idempotencyKey: key,
  body: { asset: 'EUR', normalSide: 'credit', ...body },
});

describe('a bulk of independent commands', () => {
  it('lets each command see the effects of those before it', async () => {
    const results = resultsOf(
      await bulk([
        post('1', 'carol', 'bob', '5'),
        open('2', { id: 'carol' }),
        post('3', 'carol', 'bob', '5'),
        post('4', 'alice', 'carol', '7'),
        post('5', 'carol', 'bob', '5'),
        post('6', 'carol', 'bob', '5'),
      ]),
    );
    expect(results.map(({ status, body }) => [status, body['type'] ?? 'made'])).toEqual([
      [404, '/problems/account-not-found'],
      [201, 'made'],
      [422, '/problems/insufficient-funds'],
      [201, 'made'],
      [201, 'made'],
      [422, '/problems/insufficient-funds'],
    ]);
    expect(results[5]?.body).toMatchObject({ available: '2', needed: '5' });
  });

  it('answers each as it would have been answered alone, and the other way round', async () => {
    const inBulk = resultsOf(
      await bulk([post('a', 'alice', 'bob', '1'), post('b', 'alice', 'bob', '9999')]),
    );
    for (const [index, amount] of ['1', '9999'].entries()) {
      const alone = await service.send('POST', `${LEDGER}/transfers`, {
        key: ['a', 'b'][index] ?? '',
        body: transfer('alice', 'bob', amount),
      });
      expect(alone.headers.get('idempotency-replayed')).toBe('true');
      expect([alone.status, alone.text]).toEqual([
        inBulk[index]?.status,
        `${JSON.stringify(inBulk[index]?.body)}\n`,
      ]);
      for (const name of ['Location', 'ETag', 'Holdfast-Position'])
        expect(alone.headers.get(name)).toBe(inBulk[index]?.headers[name] ?? null);
    }
    const again = resultsOf(
      await bulk([post('b', 'alice', 'bob', '9999'), post('a', 'alice', 'bob', '1')]),
    );
    expect(again.map(({ body }) => body)).toEqual([inBulk[1]?.body, inBulk[0]?.body]);
    expect(again.map(({ headers }) => headers['Idempotency-Replayed'])).toEqual(['true', 'true']);
  });

  it('answers a malformed command alone, says where it is wrong, and goes on', async () => {
    const before = service.lastPosition;
    const reply = await bulk([
      post('1', 'alice', 'bob', '01'),
      { ...open('2'), type: 'CloseAccount' },
      { type: 'OpenAccount', body: {} },
      'no command',
      null,
      { ...open('a b') },
      { ...open('6'), body: [] },
      open('7', { floor: '5', ceiling: '1' }),
      open('8'),
    ]);
    const results = resultsOf(reply);
    expect(results.map(({ status }) => status)).toEqual([
      400, 400, 400, 400, 400, 400, 400, 400, 201,
    ]);
    expect(results.slice(0, 8).map(({ body }) => body)).toEqual([
      ...[
        ['/commands/0/body/legs/0/amount', '/commands/0/body/legs/1/amount'],
        ['/commands/1/type'],
        undefined,
        ['/commands/3'],
        ['/commands/4'],
        ['/commands/5/idempotencyKey'],
        ['/commands/6/body'],
        ['/commands/7/body/ceiling'],
      ].map((pointers) => ({
        type: `/problems/${pointers === undefined ? 'idempotency-key-missing' : 'invalid-request'}`,
        title: expect.any(String),
        status: 400,
        ...(pointers === undefined
          ? { detail: expect.any(String) }
          : {
              errors: pointers.map((pointer) => ({
                in: 'body',
                pointer,
                detail: expect.any(String),
              })),
            }),
      })),
    ]);
    expect(service.lastPosition).toBe(before + 1);
    expect(reply.headers.get('holdfast-position')).toBe(results[8]?.headers['Holdfast-Position']);
  });

  it('takes 1,000 commands, and moves each amount once however often it is sent', async () => {
    const commands = Array.from({ length: 1000 }, (_, index) =>
      post(`bulk-${index}`, 'alice', 'bob', '1', { reference: `row ${index}` }),
    );
    const first = resultsOf(await bulk(commands));
    const position = service.lastPosition;
    service = await service.restart();
    const second = resultsOf(await bulk(commands));
    expect(first.map(({ status }) => status)).toEqual(Array.from({ length: 1000 }, () => 201));
    expect(second.map(({ body }) => body)).toEqual(first.map(({ body }) => body));
    expect(service.lastPosition).toBe(position);
    const poor = await service.send('POST', `${LEDGER}/transfers?dryRun=true`, {
      body: transfer('alice', 'bob', '1'),
    });
    expect(poor.body).toMatchObject({ type: '/problems/insufficient-funds', available: '0' });
  });

  it('refuses a key that was used for another command, for that command alone', async () => {
    const results = resultsOf(
      await bulk([post('fund-alice', 'alice', 'bob', '1'), post('new', 'alice', 'bob', '1')]),
    );
    expect(results.map(({ status }) => status)).toEqual([422, 201]);
    expect(results[0]?.body['type']).toBe('/problems/idempotency-key-reused');
  });

  it('answers for an unknown ledger in every item', async () => {
    const reply = await service.send('POST', '/v1/ledgers/none/bulk?atomic=false', {
      body: { commands: [open('1'), open('2')] },
    });
    expect(resultsOf(reply).map(({ status }) => status)).toEqual([404, 404]);
    expect(reply.headers.has('holdfast-position')).toBe(false);
  });

  it('rehearses each command by itself, and leaves no trace', async () => {
    const before = service.lastPosition;
    const reply = await bulk(
      [post('1', 'alice', 'bob', '1000'), post('2', 'alice', 'bob', '1000')],
      '?dryRun=true',
    );
    expect(resultsOf(reply).map(({ status }) => status)).toEqual([200, 200]);
    expect(reply.headers.get('holdfast-dry-run')).toBe('true');
    expect(service.lastPosition).toBe(before);
  });

  it('looks at no key in a dry run', async () => {
    const keyless = { type: 'PostTransfer', body: transfer('alice', 'bob', '1') };
    const spoilt = [undefined, 'a b', 7, 'same', 'same', 'fund-alice'].map((idempotencyKey) => ({
      ...keyless,
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    }));
    const results = resultsOf(await bulk([...spoilt, null], '?dryRun=true'));
    expect(results.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200, 400]);
    expect(results.map(({ headers }) => headers['Holdfast-Position'])).not.toContain(
      expect.anything(),
    );
    expect(resultsOf(await bulk([keyless])).map(({ body }) => body['type'])).toEqual([
      '/problems/idempotency-key-missing',
    ]);
  });
});

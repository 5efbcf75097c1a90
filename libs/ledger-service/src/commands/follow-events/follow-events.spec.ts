import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestCommandService } from '../testing/command-service.js';
import { LEDGER, openWorld, transfer } from '../testing/world.js';

interface Page {
  readonly items: readonly {
    readonly position: string;
    readonly type: string;
    readonly data: Readonly<Record<string, unknown>>;
  }[];
  readonly after: string;
  readonly more: boolean;
}

const EVENTS = `${LEDGER}/events`;

describe("a ledger's events over HTTP", () => {
  let service: TestCommandService;

  beforeAll(async () => {
    service = await TestCommandService.start();
    await openWorld(service);
    await service.send('PUT', '/v1/ledgers/mainly');
    const refused = { key: 'too-much', body: transfer('bob', 'alice', '1') };
    expect((await service.send('POST', `${LEDGER}/transfers`, refused)).status).toBe(422);
  });
  afterAll(() => service.stopAndRemove());

  const page = async (query: string) =>
    (await service.send('GET', `${EVENTS}${query}`)).body as unknown as Page;
  const typesOf = ({ items }: Page) => items.map(({ type }) => type);

  it('are what happened to its books, and not what was refused, nor of another ledger', async () => {
    const all = await page('');
    expect(typesOf(all)).toEqual([
      ...['LedgerOpened', 'AssetRegistered', 'AccountOpened', 'AccountOpened', 'AccountOpened'],
      'TransferPosted',
    ]);
    expect(all.more).toBe(false);
    expect(Object.keys(all.items[0]!)).toEqual([
      ...['position', 'id', 'type', 'ledger', 'recordedAt', 'data'],
    ]);
  });

  it('have the position that their command was answered with', async () => {
    const reply = await service.send('POST', `${LEDGER}/transfers`, {
      ...{ key: 'found', body: transfer('alice', 'bob', '5') },
    });
    const position = reply.headers.get('holdfast-position')!;
    const last = (await page('?type=TransferPosted')).items.at(-1)!;
    expect([last.position, last.data]).toEqual([
      position,
      { ...reply.body, balances: expect.any(Array) },
    ]);
    expect(await page(`?after=${position}`)).toMatchObject({ items: [], more: false });
  });

  it('of refused commands are there for whoever asks', async () => {
    const { items } = await page('?type=CommandRejected,CommandUnchanged');
    expect(items.map(({ data }) => data)).toEqual([
      expect.objectContaining({ command: 'PostTransfer', problem: 'insufficient-funds' }),
    ]);
  });

  it('of an account are found by its tag', async () => {
    expect(typesOf(await page('?tag=account:world'))).toEqual(['AccountOpened', 'TransferPosted']);
    expect(typesOf(await page('?tag=account:world,account:alice&type=AccountOpened'))).toEqual([
      ...['AccountOpened', 'AccountOpened'],
    ]);
  });

  it.each([
    ['?type=Nothing', 400],
    ['?tag=key:main', 400],
    ['?tag=account:', 400],
    ['?limit=1001', 400],
    ['?limit=1&limit=2', 400],
    ['?cursor=x', 400],
    ['?after=nonsense', 400],
  ])('are refused for %s', async (query, status) => {
    expect((await service.send('GET', `${EVENTS}${query}`)).status).toBe(status);
  });

  it('are none where there is no ledger', async () => {
    const { body } = await service.send('GET', '/v1/ledgers/nobodys/events');
    expect(body).toMatchObject({ type: '/problems/ledger-not-found', ledger: 'nobodys' });
  });

  it('come as lines and live, kept by nobody', async () => {
    for (const [accept, type] of [
      ['application/x-ndjson', 'application/x-ndjson; charset=utf-8'],
      ['text/event-stream', 'text/event-stream; charset=utf-8'],
    ] as const) {
      const reply = await fetch(`${service.url}${EVENTS}?limit=2`, { headers: { accept } });
      expect([reply.status, reply.headers.get('content-type')]).toEqual([200, type]);
      expect(reply.headers.get('cache-control')).toContain('no-store');
      const text = await reply.text();
      expect(text.match(/"type":"(LedgerOpened|AssetRegistered)"/g)).toHaveLength(2);
    }
  });
});

import { beforeEach, describe, expect, it } from '@jest/globals';
import type { RegisterAsset } from './register-asset.js';
import { TestBooks } from '../testing/index.js';

const euro: RegisterAsset = { type: 'RegisterAsset', ledger: 'main', asset: 'EUR', scale: 2 };

describe('commands that are idempotent by name', () => {
  let books: TestBooks;
  beforeEach(() => {
    books = new TestBooks();
  });

  it('opens a ledger once, and says the same when asked again', () => {
    expect(books.execute({ type: 'OpenLedger', ledger: 'main' })).toMatchObject({
      kind: 'accepted',
      appends: [{ stream: 'main/ledger', expectedVersion: 'no-stream' }],
    });
    expect(books.last().data).toEqual({ ledger: 'main', openedAt: '2026-11-23T10:00:00.000Z' });
    const openedAt = '2026-11-23T10:00:00.000Z';
    const data = { ledger: 'main', command: 'OpenLedger', openedAt };
    const event = { type: 'CommandUnchanged', stream: 'main/unchanged', data };
    const again = { kind: 'unchanged', position: 1, event };
    books.nowMillis += 1_000;
    expect(books.execute({ type: 'OpenLedger', ledger: 'main' }, { key: null })).toMatchObject(
      again,
    );
    expect(books.execute({ type: 'OpenLedger', ledger: 'main' }, { dryRun: true })).toMatchObject(
      again,
    );
    expect(books.events).toHaveLength(1);
  });

  it('registers an asset once, and says the same when asked again', () => {
    books.given({ type: 'OpenLedger', ledger: 'main' }, euro);
    expect(books.last()).toMatchObject({
      stream: 'main/asset/EUR',
      data: { ledger: 'main', asset: 'EUR', scale: 2, registeredAt: '2026-11-23T10:00:00.000Z' },
    });
    const registeredAt = '2026-11-23T10:00:00.000Z';
    const data = { ledger: 'main', command: 'RegisterAsset', asset: 'EUR', scale: 2, registeredAt };
    expect(books.execute(euro, { key: null })).toMatchObject({
      kind: 'unchanged',
      position: 2,
      event: { type: 'CommandUnchanged', data },
    });
  });

  it.each([
    ['opening', { type: 'OpenLedger', ledger: 'main' } as const],
    ['registering', euro],
  ])('uses up the key of %s what is there, and says the same of it for ever', (_name, command) => {
    books.given({ type: 'OpenLedger', ledger: 'main' }, euro);
    const before = books.store.image();
    const once = { key: 'once', bodyHash: 'h' };
    expect(books.execute(command, once)).toMatchObject({
      kind: 'accepted',
      appends: [{ stream: 'main/unchanged', expectedVersion: 'any' }],
    });
    expect(books.last().type).toBe('CommandUnchanged');
    const event = books.last();
    expect(books.execute(command, once)).toEqual({ kind: 'replayed', event });
    expect(books.execute(command, { ...once, bodyHash: 'another' })).toMatchObject({
      kind: 'refused',
      rejection: { problem: 'idempotency-key-reused' },
    });
    expect(books.store.image()).toEqual(before);
  });

  it('keeps assets of different ledgers apart', () => {
    books.given({ type: 'OpenLedger', ledger: 'main' }, { type: 'OpenLedger', ledger: 'other' });
    books.given(euro, { ...euro, ledger: 'other', scale: 3 });
    expect(books.view.asset('other', 'EUR')).toEqual({ scale: 3, position: 4 });
  });

  it.each([
    ['is not recorded without a key', null, undefined],
    ['uses up the key that came with it', 'k', expect.anything()],
  ])('refuses another scale, which %s', (_name, key, appends) => {
    books.given({ type: 'OpenLedger', ledger: 'main' }, euro);
    expect(books.execute({ ...euro, scale: 3 }, { key })).toEqual({
      kind: 'refused',
      rejection: {
        problem: 'asset-scale-differs',
        parameters: { asset: 'EUR', scale: 2, requestedScale: 3 },
      },
      appends,
    });
  });
});

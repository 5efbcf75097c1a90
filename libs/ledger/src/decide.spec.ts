import { beforeEach, describe, expect, it } from '@jest/globals';
import type { LedgerCommand } from './ledger-command.js';
import { TEST_LEDGER, TestBooks, commandId, worldSetUp } from './testing/index.js';

const pay: LedgerCommand = {
  type: 'PostTransfer',
  ledger: TEST_LEDGER,
  legs: [
    { accountId: 'alice', side: 'debit', amount: '400' },
    { accountId: 'spare', side: 'credit', amount: '400' },
  ],
};
const payTooMuch: LedgerCommand = {
  ...pay,
  legs: [
    { accountId: 'alice', side: 'debit', amount: '1001' },
    { accountId: 'spare', side: 'credit', amount: '1001' },
  ],
};
const insufficientFunds = {
  problem: 'insufficient-funds',
  parameters: { accountId: 'alice', needed: '1001', available: '1000', floor: '0' },
};

describe('deciding a command', () => {
  let books: TestBooks;
  beforeEach(() => {
    books = new TestBooks().given(...worldSetUp);
  });

  it('makes one event that carries everything, under the ids and the time it was given', () => {
    const context = {
      nowMillis: Date.UTC(2026, 10, 23, 12),
      commandId: commandId(77),
      actor: 'shop',
      idempotency: { key: 'order-7', bodyHash: 'hash' },
      correlationId: 'trace-1',
      causationId: 'click-1',
    };
    const command: LedgerCommand = { ...pay, reference: 'order 7', metadata: { note: 'shoes' } };
    expect(books.decide(command, context)).toEqual({
      kind: 'accepted',
      appends: [
        {
          stream: `main/transfer/${commandId(77)}`,
          expectedVersion: 'no-stream',
          events: [
            {
              id: commandId(77),
              type: 'TransferPosted',
              schemaVersion: 1,
              data: {
                ledger: 'main',
                transferId: commandId(77),
                reference: 'order 7',
                effectiveAt: '2026-11-23T12:00:00.000Z',
                legs: pay.legs,
                balances: [
                  {
                    accountId: 'alice',
                    asset: 'EUR',
                    normalSide: 'credit',
                    debitsPosted: '400',
                    creditsPosted: '1000',
                    entryVersion: 2,
                  },
                  {
                    accountId: 'spare',
                    asset: 'EUR',
                    normalSide: 'credit',
                    debitsPosted: '0',
                    creditsPosted: '400',
                    entryVersion: 1,
                  },
                ],
                metadata: { note: 'shoes' },
              },
              tags: ['account:main/alice', 'account:main/spare', 'key:main/shop/order-7'],
              metadata: {
                actor: 'shop',
                key: 'order-7',
                bodyHash: 'hash',
                correlationId: 'trace-1',
                causationId: 'click-1',
              },
            },
          ],
        },
      ],
    });
  });

  it('records a refusal with its parameters, found by its key', () => {
    expect(books.execute(payTooMuch, { key: 'order-8' })).toEqual({
      kind: 'refused',
      rejection: insufficientFunds,
      appends: [expect.objectContaining({ stream: 'main/rejections', expectedVersion: 'any' })],
    });
    expect(books.last()).toMatchObject({
      type: 'CommandRejected',
      tags: ['key:main/tester/order-8'],
      data: { ledger: 'main', command: 'PostTransfer', ...insufficientFunds },
    });
  });

  it('answers a late duplicate of a declined payment with the decline, though there is money now', () => {
    books.execute(payTooMuch, { key: 'order-8' });
    const declined = books.last();
    books.given({
      ...pay,
      legs: [
        { accountId: 'cash', side: 'debit', amount: '5000' },
        { accountId: 'alice', side: 'credit', amount: '5000' },
      ],
    });
    expect(books.execute(payTooMuch, { key: 'order-8' })).toEqual({
      kind: 'replayed',
      event: declined,
    });
    expect(books.execute(payTooMuch, { key: 'order-8-again' }).kind).toBe('accepted');
  });

  it('replays an accepted command though it would be refused today', () => {
    const command: LedgerCommand = { ...pay, reference: 'order 7' };
    books.execute(command, { key: 'order-7' });
    const accepted = books.last();
    expect(books.execute(command, { key: 'order-7' })).toEqual({
      kind: 'replayed',
      event: accepted,
    });
  });

  it('keeps the keys of different actors apart', () => {
    books.execute(pay, { actor: 'shop', key: 'same' });
    expect(books.execute(pay, { actor: 'bank', key: 'same' }).kind).toBe('accepted');
  });

  it('keeps the keys of different ledgers apart', () => {
    books.given({ type: 'OpenLedger', ledger: 'second' });
    const command: LedgerCommand = {
      type: 'RegisterAsset',
      ledger: 'main',
      asset: 'JPY',
      scale: 0,
    };
    books.execute(command, { key: 'same' });
    expect(books.execute({ ...command, ledger: 'second' }, { key: 'same' }).kind).toBe('accepted');
  });

  it('refuses a key that was used for another request, and leaves no trace of it', () => {
    books.execute(pay, { key: 'order-7' });
    const events = books.events.length;
    expect(books.execute(payTooMuch, { key: 'order-7' })).toEqual({
      kind: 'refused',
      rejection: { problem: 'idempotency-key-reused', parameters: { key: 'order-7' } },
      appends: undefined,
    });
    expect(books.events).toHaveLength(events);
  });

  it('does not record what was asked of a ledger that does not exist', () => {
    expect(books.execute({ ...pay, ledger: 'nowhere' })).toEqual({
      kind: 'refused',
      rejection: { problem: 'ledger-not-found', parameters: { ledger: 'nowhere' } },
      appends: undefined,
    });
  });

  it('does not use a key up for a malformed command', () => {
    const malformed = { ...pay, legs: [] };
    expect(books.execute(malformed, { key: 'order-9' }).kind).toBe('malformed');
    expect(books.execute(pay, { key: 'order-9' }).kind).toBe('accepted');
  });

  it('says of a dry run what it would say in earnest, and uses no key', () => {
    const dryRun = { dryRun: true, key: 'order-7' };
    expect(books.execute(payTooMuch, dryRun)).toEqual({
      kind: 'refused',
      rejection: insufficientFunds,
      appends: undefined,
    });
    expect(books.execute(pay, dryRun).kind).toBe('accepted');
    expect(books.execute(pay, { key: 'order-7' }).kind).toBe('accepted');
  });

  it('decides a dry run by the present state, also under a key that was used', () => {
    books.execute(pay, { key: 'order-7' });
    expect(books.execute(payTooMuch, { dryRun: true, key: 'order-7' })).toMatchObject({
      rejection: { problem: 'insufficient-funds', parameters: { available: '600' } },
    });
  });

  it('takes a command id that is no UUID for the bug that it is', () => {
    const context = { ...books.context(pay), commandId: 'seven' };
    expect(() => books.decide(pay, context)).toThrow('a command id is a UUID');
  });
});

import { CommandDecisions } from '@holdfast/commands';
import { describe, expect, it } from '@jest/globals';
import type { LedgerCommand } from './ledger-command.js';
import { KEY_RETENTION_MILLIS_DEFAULT } from '@holdfast/commands/reading';
import { ledgerModel } from './ledger-model.js';
import { TestBooks, worldSetUp } from './testing/index.js';

const transfer = (amount: string): LedgerCommand => ({
  type: 'PostTransfer',
  ledger: 'main',
  legs: [
    { accountId: 'cash', side: 'debit', amount },
    { accountId: 'spare', side: 'credit', amount },
  ],
});
const used = { key: 'k', bodyHash: 'h' };

describe('keys of commands', () => {
  it('are known for as long as their event is in the log, whatever the clock says', () => {
    const books = new TestBooks().given(...worldSetUp);
    books.execute(transfer('1'), { ...used, keyRetentionMillis: 1_000 });
    const first = books.last();
    const replay = { kind: 'replayed', event: first };
    books.nowMillis += 100 * KEY_RETENTION_MILLIS_DEFAULT;
    expect(books.execute(transfer('2'), { key: 'another' }).kind).toBe('accepted');
    expect(books.execute(transfer('1'), used)).toEqual(replay);
    expect(books.execute(transfer('1'), { ...used, bodyHash: 'other' })).toMatchObject({
      kind: 'refused',
      rejection: { problem: 'idempotency-key-reused' },
    });
    const compacted = books.withoutReading(new Set([first]));
    expect(compacted.execute(transfer('1'), used).kind).toBe('accepted');
  });

  it('say in the log how long compaction lets them be, where that is not the usual', () => {
    const books = new TestBooks().given(...worldSetUp);
    books.execute(transfer('1'), { ...used, keyRetentionMillis: 1_000 });
    expect(books.last().metadata).toMatchObject({ keyRetentionMillis: 1_000 });
    books.execute(transfer('1'), {
      key: 'usual',
      keyRetentionMillis: KEY_RETENTION_MILLIS_DEFAULT,
    });
    expect(books.last().metadata).not.toHaveProperty('keyRetentionMillis');
  });

  it('leave nothing in the state', () => {
    const books = new TestBooks().given(...worldSetUp);
    books.execute(transfer('1'), { ...used, key: 'a-key-of-its-own' });
    expect(JSON.stringify(books.store.image())).not.toContain('a-key-of-its-own');
  });

  it('are used up for ever when their event was removed, whatever is asked', () => {
    const { store } = new TestBooks().given(...worldSetUp);
    const { position } = new TestBooks().given(...worldSetUp).last();
    const decisions = new CommandDecisions(ledgerModel, {
      state: store,
      lastTagged: () => ({ position, event: undefined }),
      admittedAt: () => undefined,
      hasTagBeginning: () => true,
    });
    const key = { scope: 'main', actor: 'tester', key: 'k' };
    expect(decisions.recognise(key, 'any')).toEqual({ kind: 'removed', position });
  });
});

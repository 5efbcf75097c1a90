import { describe, expect, it } from '@jest/globals';
import type { LedgerCommand } from './ledger-command.js';
import { KEY_RETENTION_MILLIS_DEFAULT } from './key-retention.js';
import { TEST_START_MILLIS, TestBooks, worldSetUp } from './testing/index.js';

const transfer = (amount: string): LedgerCommand => ({
  type: 'PostTransfer',
  ledger: 'main',
  legs: [
    { accountId: 'cash', side: 'debit', amount },
    { accountId: 'spare', side: 'credit', amount },
  ],
});

const keysIn = (books: TestBooks, section = 'command-keys'): string[] =>
  Object.keys(books.store.image()).filter((name) => name.startsWith(`${section}/`));

describe('keys of commands', () => {
  it('are known until they expire, to the millisecond, and are as good as new then', () => {
    const books = new TestBooks().given(...worldSetUp);
    books.execute(transfer('1'), { key: 'k', bodyHash: 'h' });
    const first = books.last().position;
    books.nowMillis = TEST_START_MILLIS + KEY_RETENTION_MILLIS_DEFAULT - 1;
    expect(books.execute(transfer('1'), { key: 'k', bodyHash: 'h' })).toEqual({
      kind: 'replayed',
      position: first,
    });
    books.nowMillis += 1;
    expect(books.execute(transfer('2'), { key: 'k', bodyHash: 'other' }).kind).toBe('accepted');
    expect(books.execute(transfer('2'), { key: 'k', bodyHash: 'other' })).toEqual({
      kind: 'replayed',
      position: books.last().position,
    });
  });

  it('say in the log how long they are kept, where that is not the usual', () => {
    const books = new TestBooks().given(...worldSetUp);
    books.execute(transfer('1'), { key: 'short', bodyHash: 'h', keyRetentionMillis: 1_000 });
    expect(books.last().metadata).toMatchObject({ keyRetentionMillis: 1_000 });
    books.execute(transfer('1'), {
      key: 'usual',
      bodyHash: 'h',
      keyRetentionMillis: KEY_RETENTION_MILLIS_DEFAULT,
    });
    expect(books.last().metadata).not.toHaveProperty('keyRetentionMillis');
    books.nowMillis += 1_000;
    expect(books.execute(transfer('1'), { key: 'short', bodyHash: 'h' }).kind).toBe('accepted');
    expect(books.execute(transfer('1'), { key: 'usual', bodyHash: 'h' }).kind).toBe('replayed');
  });

  it('are forgotten two at a time once they have expired, and a key that was used again stays', () => {
    const books = new TestBooks().given(...worldSetUp);
    const before = keysIn(books).length;
    for (let command = 0; command < 20; command++)
      books.execute(transfer('1'), { key: `k${command}`, bodyHash: 'h' });
    expect(keysIn(books)).toHaveLength(before + 20);
    books.nowMillis += KEY_RETENTION_MILLIS_DEFAULT;
    books.execute(transfer('1'), { key: 'k19', bodyHash: 'again' });
    let commands = 1;
    while (keysIn(books, 'command-key-queue').length > commands && commands < 100) {
      books.execute(transfer('1'), { key: `new-${commands}`, bodyHash: 'h' });
      commands++;
    }
    expect(commands).toBeLessThanOrEqual(before + 20 + 2);
    expect(keysIn(books)).toContain('command-keys/main/tester/k19');
    expect(keysIn(books)).not.toContain('command-keys/main/tester/k18');
    expect(keysIn(books)).toHaveLength(commands);
    expect(books.execute(transfer('1'), { key: 'k19', bodyHash: 'again' }).kind).toBe('replayed');
  });
});

import type { RecordedEvent } from '@holdfast/event-store';
import { type Side, type TransferLegResource, transferRowOf } from '@holdfast/ledger';
import { TEST_LEDGER, TestBooks, attempts, worldSetUp } from '@holdfast/ledger/testing';
import { runs } from '@holdfast/kernel/testing';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { amountOf } from './amount-blob.js';
import { LedgerTablesInMemory } from './testing/ledger-tables-in-memory.js';

const histories = fc.array(attempts, { maxLength: 60 }).map((made) => {
  const books = new TestBooks().given(...worldSetUp);
  for (const { command, circumstances, laterMillis } of made) {
    books.nowMillis += laterMillis;
    books.execute(command, circumstances);
  }
  return books;
});

/** Where to cut a history into batches. */
const cuts = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 8 });

function portions(events: readonly RecordedEvent[], sizes: readonly number[]): RecordedEvent[][] {
  const made: RecordedEvent[][] = [];
  for (let from = 0, at = 0; from < events.length; at++) {
    const size = sizes[at % sizes.length] ?? 1;
    made.push(events.slice(from, from + size));
    from += size;
  }
  return made;
}

function tablesOf(batches: readonly (readonly RecordedEvent[])[]) {
  const tables = new LedgerTablesInMemory();
  for (const batch of batches) tables.apply(batch);
  return tables;
}

interface StoredBalance {
  account_id: string;
  debits_posted: Buffer;
  credits_posted: Buffer;
  entry_version: number;
  version: number;
  status: string;
}

function totalOf(legs: readonly TransferLegResource[], asset: string, side: Side): bigint {
  return legs
    .filter((leg) => leg.asset === asset && leg.side === side)
    .reduce((total, { amount }) => total + BigInt(amount), 0n);
}

describe('the ledger projection', () => {
  it('makes the same tables however the events are cut into batches', () => {
    fc.assert(
      fc.property(histories, cuts, ({ events }, sizes) => {
        const [whole, cut] = [tablesOf([events]), tablesOf(portions(events, sizes))];
        try {
          expect(cut.contents()).toEqual(whole.contents());
        } finally {
          whole.close();
          cut.close();
        }
      }),
      { numRuns: runs({ short: 10, long: 60 }) },
    );
  });

  it('knows of every account what the write side knows', () => {
    fc.assert(
      fc.property(histories, (books) => {
        const tables = tablesOf([books.events]);
        try {
          const rows = tables.prepare<[], StoredBalance>(
            'SELECT * FROM accounts JOIN balances USING (account_key)',
          );
          const seen = rows.all().map((row) => ({
            id: row.account_id,
            debitsPosted: String(amountOf(row.debits_posted)),
            creditsPosted: String(amountOf(row.credits_posted)),
            entryVersion: row.entry_version,
            version: row.version,
            status: row.status,
          }));
          const opened = books.events.filter(({ type }) => type === 'AccountOpened');
          expect(seen).toHaveLength(opened.length);
          for (const { id, ...row } of seen)
            expect(books.view.account(TEST_LEDGER, id)).toMatchObject(row);
        } finally {
          tables.close();
        }
      }),
      { numRuns: runs({ short: 10, long: 60 }) },
    );
  });

  it('ends each statement at the balance, counts its lines and balances debits with credits', () => {
    fc.assert(
      fc.property(histories, ({ events }) => {
        const tables = tablesOf([events]);
        try {
          const last = tables.prepare<[], { statement: Buffer; balance: Buffer }>(
            `SELECT b.balance, (SELECT l.balance FROM statement_lines l WHERE l.account_key = b.account_key
               ORDER BY entry_version DESC, line DESC LIMIT 1) AS statement
             FROM balances b WHERE entry_version > 0`,
          );
          for (const { statement, balance } of last.all())
            expect(amountOf(statement)).toBe(amountOf(balance));
          const legs = events.flatMap((event) => transferRowOf(event)?.legs ?? []);
          const count = tables.prepare<[], { lines: number }>(
            'SELECT count(*) AS lines FROM statement_lines',
          );
          expect(count.get()).toEqual({ lines: legs.length });
          const assets = tables.prepare<[], { asset: string; debits: Buffer; credits: Buffer }>(
            'SELECT asset, debits, credits FROM assets',
          );
          for (const { asset, debits, credits } of assets.all()) {
            expect(amountOf(debits)).toBe(totalOf(legs, asset, 'debit'));
            expect(amountOf(credits)).toBe(amountOf(debits));
          }
        } finally {
          tables.close();
        }
      }),
      { numRuns: runs({ short: 10, long: 40 }) },
    );
  });

  it('makes the balances of an event once, however many accounts it is the last of', () => {
    const books = new TestBooks().given(...worldSetUp, {
      type: 'PostTransfer',
      ledger: TEST_LEDGER,
      legs: [
        { accountId: 'cash', side: 'debit', amount: '3' },
        ...['alice', 'spare'].map((accountId, at) => ({
          ...{ accountId, side: 'credit' as const, amount: String(1 + at) },
        })),
      ],
    });
    const posted = books.last() as RecordedEvent<
      string,
      { balances: readonly { normalSide: Side }[] }
    >;
    const accounts = posted.data.balances.length;
    let read = 0;
    const balances = posted.data.balances.map((balance) => ({
      ...balance,
      get normalSide() {
        read++;
        return balance.normalSide;
      },
    }));
    const tables = tablesOf([books.events.slice(0, -1)]);
    tables.apply([{ ...posted, data: { ...posted.data, balances } }]);
    tables.close();
    // Once for the lines of each account's statement, and once for its balance.
    expect([accounts, read]).toEqual([3, 2 * 3]);
  });

  it('finds a transfer by the metadata it has now, not by what it had', () => {
    const books = new TestBooks().given(...worldSetUp, {
      type: 'PostTransfer',
      ledger: TEST_LEDGER,
      legs: [
        { accountId: 'cash', side: 'debit', amount: '1' },
        { accountId: 'alice', side: 'credit', amount: '1' },
      ],
      metadata: { order: '1', note: 'old' },
    });
    const { data, position } = books.last();
    const { transferId } = data as { transferId: string };
    books.given({
      type: 'ChangeTransferMetadata',
      ledger: TEST_LEDGER,
      transferId,
      expectedVersion: 1,
      metadata: { note: 'new', order: null, more: 'yes' },
    });
    const tables = tablesOf(portions(books.events, [1]));
    const rows = tables.prepare('SELECT key, value, position FROM transfer_metadata').all();
    expect(rows).toEqual([
      { key: 'more', value: 'yes', position },
      { key: 'note', value: 'new', position },
    ]);
    tables.close();
  });

  it('stops at an event of an unknown account instead of forgetting it', () => {
    const books = new TestBooks().given(...worldSetUp);
    const tables = new LedgerTablesInMemory();
    const withoutAccounts = books.events.filter(({ type }) => type !== 'AccountOpened');
    expect(() => {
      tables.apply(withoutAccounts);
    }).toThrow('must exist here');
    expect(Object.values(tables.contents()).flat()).toEqual([]);
    tables.close();
  });

  it('refuses to apply an event twice', () => {
    const { events } = new TestBooks().given(...worldSetUp);
    const tables = tablesOf([events]);
    expect(() => {
      tables.apply(events.slice(-1));
    }).toThrow('UNIQUE');
    tables.close();
  });
});

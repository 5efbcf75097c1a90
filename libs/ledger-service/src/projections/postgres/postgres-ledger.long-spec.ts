import type { RecordedEvent } from '@holdfast/event-store';
import { runs } from '@holdfast/kernel/testing';
import { TEST_LEDGER, TestBooks, attempts, worldSetUp } from '@holdfast/ledger/testing';
import { PostgresReadModel, PostgresReadModelStore } from '@holdfast/projections/postgres';
import { describeWithPostgres, newSchema } from '@holdfast/projections/testing';
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { amountOf } from '../amount-blob.js';
import { ledgerProjection } from '../ledger.projection.js';
import { LedgerTablesInMemory } from '../testing/ledger-tables-in-memory.js';
import { postgresLedgerProjection as projection } from './postgres-ledger.projection.js';

const { signal } = new AbortController();
const TABLES = ['ledgers', 'assets', 'accounts', 'balances'];
const MORE_TABLES = ['transfers', 'transfer_metadata', 'statement_lines'];
const HUGE = '9'.repeat(36);
/** Of four bytes each: the longest that metadata may be, and no byte of it can be compressed away. */
const LONGEST_KEY = '\u{1f600}'.repeat(40);

it('has in PostgreSQL the tables that this version has always had', () => {
  const recorded = new URL(
    `../testing/postgres-ledger-tables-${projection.version}.json`,
    import.meta.url,
  );
  const made = projection.tables.map((statement) => statement.replace(/\s+/g, ' '));
  expect(made).toEqual(JSON.parse(readFileSync(recorded, 'utf8')));
});

it('is the same projection in both databases, but for its tables', () => {
  for (const each of ['name', 'version', 'handles'] as const)
    expect(projection[each]).toBe(ledgerProjection[each]);
});

describeWithPostgres('the ledger projection in PostgreSQL', (server) => {
  /** The events in batches of the sizes, through a store of its own; every row as SQLite has it, and the digest. */
  async function filled(events: readonly RecordedEvent[], sizes: readonly number[]) {
    const place = { url: server().url(), schema: newSchema() };
    const store = PostgresReadModelStore.open({ ...place, projection });
    const model = PostgresReadModel.open({ ...place, projection });
    try {
      const lease = (await store.acquire({ owner: 'test', signal }))!;
      try {
        for (let from = 0, at = 0; from < events.length; at++) {
          const batch = events.slice(from, (from += sizes[at % sizes.length] ?? 1));
          const position = batch.at(-1)!.position;
          const handled = batch.filter(({ type }) => projection.handles.includes(type));
          await lease.transact(
            { logId: 'a'.repeat(32), position, timeline: '1'.repeat(16) },
            (transaction) => projection.apply(handled, transaction),
          );
        }
        await lease.promote();
      } finally {
        await lease.release();
      }
      const rows = await model.read(async ({ query }) => {
        const all: Record<string, unknown[]> = {};
        for (const table of [...TABLES, ...MORE_TABLES])
          all[table] = comparable(await query(`SELECT * FROM ${table}`));
        return all;
      });
      return { rows, digest: (await store.digest()).sha256 };
    } finally {
      await model.close();
      await store.close();
    }
  }

  function inSqlite(events: readonly RecordedEvent[]): Record<string, unknown[]> {
    const tables = new LedgerTablesInMemory();
    try {
      tables.apply(events);
      return Object.fromEntries(
        Object.entries(tables.contents()).map(([name, rows]) => [name, comparable(rows)]),
      );
    } finally {
      tables.close();
    }
  }

  it('makes the rows that it makes in SQLite, however the events are cut into batches', async () => {
    const seen = fc.sample(fc.array(attempts, { minLength: 30, maxLength: 90 }), {
      numRuns: runs({ short: 4, long: 20 }),
      seed: 20261128,
    });
    for (const made of seen) {
      const books = new TestBooks().given(...worldSetUp);
      for (const { command, circumstances, laterMillis } of made) {
        books.nowMillis += laterMillis;
        books.execute(command, circumstances);
      }
      const whole = await filled(books.events, [books.events.length]);
      const cut = await filled(books.events, [1, 5, 2]);
      expect(cut).toEqual(whole);
      expect(whole.rows).toEqual(inSqlite(books.events));
    }
  });

  it('keeps amounts of 36 digits and the longest metadata, and finds what a change of them left', async () => {
    const books = new TestBooks().given(...worldSetUp);
    const post = (metadata: Record<string, string>) =>
      books.given({
        type: 'PostTransfer',
        ledger: TEST_LEDGER,
        legs: [
          { accountId: 'cash', side: 'debit', amount: HUGE },
          { accountId: 'alice', side: 'credit', amount: HUGE },
        ],
        metadata,
      });
    const random = Array.from({ length: 500 }, (_, at) =>
      String.fromCodePoint(0x10000 + ((at * 7919) % 0xffff)),
    ).join('');
    post({ [LONGEST_KEY]: random, quoted: `{"a,b\\'c"}`, empty: '', null: 'NULL' });
    const { transferId } = books.last().data as { transferId: string };
    books.given({
      type: 'ChangeTransferMetadata',
      ledger: TEST_LEDGER,
      transferId,
      expectedVersion: 1,
      metadata: { quoted: 'new', empty: null },
    });
    post({ [LONGEST_KEY]: random });
    const one = await filled(books.events, [1]);
    expect(one).toEqual(await filled(books.events, [books.events.length]));
    expect(one.rows).toEqual(inSqlite(books.events));
    const balance = expect.objectContaining({
      debits_posted: String(2n * BigInt(HUGE) + 1_000n),
    }) as object;
    expect(one.rows['balances']).toContainEqual(balance);
  });

  it('stops at an event of an unknown account, and at one that it has had', async () => {
    const { events } = new TestBooks().given(...worldSetUp);
    const withoutAccounts = events.filter(({ type }) => type !== 'AccountOpened');
    const changed = events.find(({ type }) => type === 'AccountOpened')!;
    await expect(
      filled([...withoutAccounts, { ...changed, type: 'AccountStatusChanged' }], [100]),
    ).rejects.toThrow('must exist here');
    await expect(filled([...events, events.at(-1)!], [events.length])).rejects.toMatchObject({
      code: '23505',
    });
  });
});

/** Amounts as digits, in an order of their own. */
function comparable(rows: readonly unknown[]): unknown[] {
  return rows
    .map((row) =>
      Object.fromEntries(
        Object.entries(row as object).map(([name, value]): [string, unknown] => [
          name,
          Buffer.isBuffer(value) ? String(amountOf(value)) : value,
        ]),
      ),
    )
    .sort((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1));
}

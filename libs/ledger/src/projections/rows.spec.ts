import type { RecordedEvent } from '@holdfast/event-store';
import { runs } from '@holdfast/kernel/testing';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { AccountEntry } from '../ledger-state.js';
import {
  type Attempt,
  TEST_LEDGER,
  TEST_START_MILLIS,
  TestBooks,
  commandId,
  histories,
  worldSetUp,
} from '../testing/index.js';
import { expectSame } from '../testing/expect-same.js';
import { RowsInMemory } from '../testing/rows-in-memory.js';
import { ACCOUNT_ROW_EVENTS, accountRowOf } from './account-row.js';
import { ASSET_ROW_EVENTS, assetRowOf } from './asset-row.js';
import { BALANCE_ROW_EVENTS, balanceRowsOf } from './balance-row.js';
import { LEDGER_ROW_EVENTS, ledgerRowOf } from './ledger-row.js';
import { STATEMENT_LINE_EVENTS, statementLinesOf } from './statement-line.js';
import { TRANSFER_ROW_EVENTS, transferMetadataRowOf, transferRowOf } from './transfer-row.js';
import { TRIAL_BALANCE_EVENTS, trialBalanceChangesOf } from './trial-balance-row.js';

const RUNS = { numRuns: runs({ short: 200, long: 3_000 }) };
const WORLD = new TestBooks().given(...worldSetUp);

function everyHistory(check: (books: TestBooks, model: RowsInMemory) => void): void {
  fc.assert(
    fc.property(histories, (history: readonly Attempt[]) => {
      const books = new TestBooks(WORLD);
      for (const { command, circumstances, laterMillis } of history) {
        books.nowMillis += laterMillis;
        books.execute(command, circumstances);
      }
      check(books, new RowsInMemory(books.events));
    }),
    RUNS,
  );
}

describe('the rows of one transfer', () => {
  const books = new TestBooks(WORLD);
  books.nowMillis += 1;
  const recordedAtMillis = books.nowMillis;
  const effectiveAtMillis = Date.UTC(1993, 0, 1);
  const transferId = commandId(worldSetUp.length + 1);
  books.given({
    type: 'PostTransfer',
    ledger: TEST_LEDGER,
    reference: 'invoice 1',
    effectiveAt: '1993-01-01T00:00:00Z',
    metadata: { note: 'shoes' },
    legs: [
      { accountId: 'alice', side: 'debit', amount: '100' },
      { accountId: 'alice', side: 'credit', amount: '10' },
      { accountId: 'cash', side: 'credit', amount: '20' },
      { accountId: 'spare', side: 'credit', amount: '70' },
      { accountId: 'dollars', side: 'debit', amount: '3' },
      { accountId: 'dora', side: 'credit', amount: '3' },
    ],
  });
  const event = books.last();
  const { position } = event;

  it('say what each balance has become', () => {
    const [alice, cash] = balanceRowsOf(event);
    const common = { ledger: 'main', asset: 'EUR', changedAtMillis: recordedAtMillis, position };
    const pending = { debitsPending: 0n, creditsPending: 0n };
    expect([alice, cash]).toEqual([
      {
        ...common,
        ...pending,
        accountId: 'alice',
        normalSide: 'credit',
        debitsPosted: 100n,
        creditsPosted: 1010n,
        balance: 910n,
        available: 910n,
        entryVersion: 2,
      },
      {
        ...common,
        ...pending,
        accountId: 'cash',
        normalSide: 'debit',
        debitsPosted: 1000n,
        creditsPosted: 2020n,
        balance: -1020n,
        available: -1020n,
        entryVersion: 3,
      },
    ]);
  });

  it('take what is pending on the lowering side out of what is available', () => {
    const [balance] = event.type === 'TransferPosted' ? event.data.balances : [];
    const pending = { debitsPending: '900', creditsPending: '5' };
    const withHold = { ...event, data: { ...event.data, balances: [{ ...balance, ...pending }] } };
    expect(balanceRowsOf(withHold)).toMatchObject([
      { balance: 910n, available: 10n, debitsPending: 900n, creditsPending: 5n },
    ]);
  });

  it('are one statement line a leg, each with the balance after it', () => {
    const common = {
      ledger: 'main',
      transferId,
      reference: 'invoice 1',
      effectiveAtMillis,
      recordedAtMillis,
      position,
    };
    const alice = { ...common, accountId: 'alice', entryVersion: 2 };
    expect(statementLinesOf(event)).toEqual([
      { ...alice, line: 0, side: 'debit', amount: 100n, balance: 900n },
      { ...alice, line: 1, side: 'credit', amount: 10n, balance: 910n },
      {
        ...common,
        accountId: 'cash',
        entryVersion: 3,
        line: 0,
        side: 'credit',
        amount: 20n,
        balance: -1020n,
      },
      {
        ...common,
        accountId: 'spare',
        entryVersion: 1,
        line: 0,
        side: 'credit',
        amount: 70n,
        balance: 70n,
      },
      {
        ...common,
        accountId: 'dollars',
        entryVersion: 2,
        line: 0,
        side: 'debit',
        amount: 3n,
        balance: 503n,
      },
      {
        ...common,
        accountId: 'dora',
        entryVersion: 2,
        line: 0,
        side: 'credit',
        amount: 3n,
        balance: 503n,
      },
    ]);
  });

  it('name the transfer with its accounts, and its legs with their assets', () => {
    expect(transferRowOf(event)).toEqual({
      ledger: 'main',
      transferId,
      reference: 'invoice 1',
      effectiveAtMillis,
      recordedAtMillis,
      legs: [
        { accountId: 'alice', side: 'debit', amount: '100', asset: 'EUR' },
        { accountId: 'alice', side: 'credit', amount: '10', asset: 'EUR' },
        { accountId: 'cash', side: 'credit', amount: '20', asset: 'EUR' },
        { accountId: 'spare', side: 'credit', amount: '70', asset: 'EUR' },
        { accountId: 'dollars', side: 'debit', amount: '3', asset: 'USD' },
        { accountId: 'dora', side: 'credit', amount: '3', asset: 'USD' },
      ],
      accountIds: ['alice', 'cash', 'spare', 'dollars', 'dora'],
      metadata: { note: 'shoes' },
      version: 1,
      position,
    });
  });

  it('add to each asset as much on one side as on the other', () => {
    expect(trialBalanceChangesOf(event)).toEqual([
      { ledger: 'main', asset: 'EUR', debits: 100n, credits: 100n, position },
      { ledger: 'main', asset: 'USD', debits: 3n, credits: 3n, position },
    ]);
  });
});

describe('the rows of ledgers, assets and accounts', () => {
  const [opened, registered] = WORLD.events;
  const dora = WORLD.events.find(({ stream }) => stream === 'main/account/dora')!;

  it('are what was opened and registered', () => {
    expect(ledgerRowOf(opened!)).toEqual({
      ledger: 'main',
      openedAtMillis: TEST_START_MILLIS,
      position: 1,
    });
    expect(assetRowOf(registered!)).toEqual({
      ledger: 'main',
      asset: 'EUR',
      scale: 2,
      registeredAtMillis: TEST_START_MILLIS,
      position: 2,
    });
    expect(accountRowOf(dora)).toEqual({
      ledger: 'main',
      accountId: 'dora',
      asset: 'USD',
      normalSide: 'credit',
      floor: 0n,
      ceiling: null,
      status: 'active',
      metadata: { owner: 'Dora' },
      version: 1,
      openedAtMillis: TEST_START_MILLIS,
      position: dora.position,
    });
  });

  it('include a zero balance from the first day, for accounts and in the trial balance', () => {
    expect(balanceRowsOf(dora)).toMatchObject([
      { accountId: 'dora', balance: 0n, entryVersion: 0 },
    ]);
    expect(trialBalanceChangesOf(registered!)).toEqual([
      { ledger: 'main', asset: 'EUR', debits: 0n, credits: 0n, position: 2 },
    ]);
  });
});

describe('after every history, the rows', () => {
  it('are the accounts and balances that the write side has', () => {
    everyHistory((books, model) => {
      for (const [key, value] of Object.entries(books.store.image())) {
        if (!key.startsWith('accounts/')) continue;
        const entry = value as AccountEntry;
        const accountId = key.slice(`accounts/${TEST_LEDGER}/`.length);
        const { version, status, floor, metadata } = model.accounts.get(accountId)!;
        const { debitsPosted, creditsPosted, entryVersion } = model.balances.get(accountId)!;
        expectSame(
          [version, status, floor?.toString() ?? null, metadata],
          [
            entry.version,
            entry.status,
            entry.floor,
            books.view.accountMetadata(TEST_LEDGER, accountId),
          ],
        );
        expectSame(
          [String(debitsPosted), String(creditsPosted), entryVersion],
          [entry.debitsPosted, entry.creditsPosted, entry.entryVersion],
        );
      }
    });
  });

  it('run from zero to the balance in the statement of each account, without a gap', () => {
    everyHistory((_books, model) => {
      for (const { accountId, normalSide, balance, entryVersion } of model.balances.values()) {
        const lines = model.lines.filter((line) => line.accountId === accountId);
        let running = 0n;
        let entry = 0;
        const broken = lines.filter((line) => {
          running += line.side === normalSide ? line.amount : -line.amount;
          const follows =
            line.line > 0 ? line.entryVersion === entry : line.entryVersion === entry + 1;
          entry = line.entryVersion;
          return line.balance !== running || !follows;
        });
        expectSame([broken, running, entry], [[], balance, entryVersion]);
      }
    });
  });

  it('balance: the totals of each asset are the sums of its accounts', () => {
    everyHistory((_books, model) => {
      for (const { asset, debits, credits } of model.trialBalances.values()) {
        const balances = [...model.balances.values()].filter((row) => row.asset === asset);
        expectSame(
          [debits, credits],
          [
            balances.reduce((sum, row) => sum + row.debitsPosted, 0n),
            balances.reduce((sum, row) => sum + row.creditsPosted, 0n),
          ],
        );
        expectSame(debits, credits);
      }
    });
  });

  it('have the metadata that the write side has of each transfer', () => {
    everyHistory((books, model) => {
      for (const { transferId, metadata, version } of model.transfers.values()) {
        const entry = books.view.transfer(TEST_LEDGER, transferId)!;
        expectSame([metadata, version], [entry.metadata ?? {}, entry.version]);
      }
    });
  });

  it('come from no other events than each mapping says that it handles', () => {
    const produces = {
      [String(LEDGER_ROW_EVENTS)]: ledgerRowOf,
      [String(ASSET_ROW_EVENTS)]: assetRowOf,
      [String(ACCOUNT_ROW_EVENTS)]: accountRowOf,
      [String(BALANCE_ROW_EVENTS)]: (event: RecordedEvent) => balanceRowsOf(event)[0],
      [String(STATEMENT_LINE_EVENTS)]: (event: RecordedEvent) => statementLinesOf(event)[0],
      [String(TRANSFER_ROW_EVENTS)]: (event: RecordedEvent) =>
        transferRowOf(event) ?? transferMetadataRowOf(event),
      [String(TRIAL_BALANCE_EVENTS)]: (event: RecordedEvent) => trialBalanceChangesOf(event)[0],
    };
    const seen = new Map(Object.keys(produces).map((handled) => [handled, new Set<string>()]));
    everyHistory((books) => {
      for (const [handled, rowOf] of Object.entries(produces))
        for (const event of books.events)
          if (rowOf(event) !== undefined) seen.get(handled)!.add(event.type);
    });
    for (const [handled, types] of seen)
      expect([...types].sort()).toEqual(handled.split(',').sort());
  });
});

import { defined } from '@holdfast/kernel';
import type { PostgresTransaction } from '@holdfast/projections/postgres';
import type { LedgerBatch } from '../ledger-batch.js';

/** The keys of the ledgers and accounts that a batch names: those that it opens are known, the others are asked for at once. */
export class PostgresLedgerKeys {
  private readonly ledgers = new Map<string, KnownLedger>();

  private constructor() {
    // Made by `of`.
  }

  static async of(
    batch: LedgerBatch,
    { query, queryRows }: PostgresTransaction,
  ): Promise<PostgresLedgerKeys> {
    const keys = new PostgresLedgerKeys();
    for (const { ledger, position } of batch.ledgers) keys.addLedger(ledger, position);
    const named = new Set(Array.from(rowsOfLedgers(batch), ({ ledger }) => ledger));
    const others = [...named].filter((ledger) => !keys.ledgers.has(ledger));
    if (others.length > 0)
      for (const { ledger, ledger_key } of await query<StoredLedger>(SELECT_LEDGERS, [others]))
        keys.addLedger(ledger, ledger_key);
    for (const { ledger, accountId, position } of batch.openedAccounts)
      keys.ledger(ledger).accounts.set(accountId, position);
    for (const { ledger_key, account_id, account_key } of await queryRows<StoredAccount>(
      SELECT_ACCOUNTS,
      keys.unknownAccounts(batch),
    ))
      for (const { key, accounts } of keys.ledgers.values())
        if (key === ledger_key) accounts.set(account_id, account_key);
    return keys;
  }

  ofLedger(ledger: string): number {
    return this.ledger(ledger).key;
  }

  ofAccount(ledger: string, accountId: string): number {
    const found = this.ledger(ledger).accounts.get(accountId);
    return defined(found, `the account ${accountId} of ledger ${ledger}`);
  }

  /** Each once: its ledger's key and its id. */
  private unknownAccounts(batch: LedgerBatch): (readonly [number, string])[] {
    const asked = new Map<KnownLedger, Set<string>>();
    for (const { ledger, accountId } of rowsOfAccounts(batch)) {
      const known = this.ledger(ledger);
      if (known.accounts.has(accountId)) continue;
      const ids = asked.get(known) ?? new Set();
      asked.set(known, ids.add(accountId));
    }
    return Array.from(asked, ([{ key }, ids]) =>
      Array.from(ids, (id): readonly [number, string] => [key, id]),
    ).flat();
  }

  private addLedger(ledger: string, key: number): void {
    this.ledgers.set(ledger, { key, accounts: new Map() });
  }

  private ledger(ledger: string): KnownLedger {
    return defined(this.ledgers.get(ledger), `the ledger ${ledger}`);
  }
}

interface KnownLedger {
  readonly key: number;
  readonly accounts: Map<string, number>;
}

interface StoredLedger {
  readonly ledger: string;
  readonly ledger_key: number;
}

interface StoredAccount {
  readonly ledger_key: number;
  readonly account_id: string;
  readonly account_key: number;
}

function* rowsOfLedgers(batch: LedgerBatch): Iterable<{ readonly ledger: string }> {
  yield* batch.assets;
  yield* batch.openedAccounts;
  yield* batch.transfers;
  yield* batch.changedTransfers;
  yield* rowsOfAccounts(batch);
}

function* rowsOfAccounts(
  batch: LedgerBatch,
): Iterable<{ readonly ledger: string; readonly accountId: string }> {
  yield* batch.lines;
  yield* batch.changedAccounts;
}

const SELECT_LEDGERS = 'SELECT ledger, ledger_key FROM ledgers WHERE ledger = ANY($1::text[])';
const SELECT_ACCOUNTS = `
  SELECT ledger_key, account_id, account_key
  FROM unnest($1::bigint[], $2::text[]) AS asked (ledger_key, account_id) JOIN accounts USING (ledger_key, account_id)
`;

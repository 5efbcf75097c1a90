import { defined } from '@holdfast/kernel';
import type { SqliteTransaction } from '@holdfast/projections';

/** The keys of ledgers and accounts by their names, each looked up once in a batch. */
export class LedgerKeys {
  private readonly known = new Map<string, KnownLedger>();

  constructor(private readonly transaction: SqliteTransaction) {}

  ofLedger(ledger: string): number {
    return this.ledger(ledger).key;
  }

  ofAccount(ledger: string, accountId: string): number {
    const { key, accounts } = this.ledger(ledger);
    const known = accounts.get(accountId);
    if (known !== undefined) return known;
    const found = this.transaction
      .prepare<[number, string], { account_key: number }>(
        'SELECT account_key FROM accounts WHERE ledger_key = ? AND account_id = ?',
      )
      .get(key, accountId);
    const { account_key } = defined(found, `the account ${accountId} of ledger ${ledger}`);
    accounts.set(accountId, account_key);
    return account_key;
  }

  private ledger(ledger: string): KnownLedger {
    const known = this.known.get(ledger);
    if (known !== undefined) return known;
    const found = this.transaction
      .prepare<[string], { ledger_key: number }>('SELECT ledger_key FROM ledgers WHERE ledger = ?')
      .get(ledger);
    const { ledger_key: key } = defined(found, `the ledger ${ledger}`);
    const added = { key, accounts: new Map<string, number>() };
    this.known.set(ledger, added);
    return added;
  }
}

interface KnownLedger {
  readonly key: number;
  readonly accounts: Map<string, number>;
}

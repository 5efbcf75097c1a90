import type { Side } from '@holdfast/ledger';
import { instantText } from '@holdfast/ledger/reading';
import { amountText } from '../amount-text.js';
import { type Asking, type StoredAmount, rowOf } from '../asking.js';
import { type Finding, accountMissing, found, ledgerMissing } from '../finding.js';
import { ledgerKeyOf } from '../keys.js';
import type { BalanceResource } from './balance.js';

interface BalanceRow {
  readonly asset: string;
  readonly normal_side: Side;
  readonly debits_posted: StoredAmount;
  readonly credits_posted: StoredAmount;
  readonly debits_pending: StoredAmount;
  readonly credits_pending: StoredAmount;
  readonly balance: StoredAmount;
  readonly available: StoredAmount;
  readonly entry_version: number;
  readonly changed_at: number;
}

export function* getBalance(ledger: string, accountId: string): Asking<Finding<BalanceResource>> {
  const ledgerKey = yield* ledgerKeyOf(ledger);
  if (ledgerKey === undefined) return ledgerMissing(ledger);
  const row = yield* rowOf<BalanceRow>(
    `SELECT asset, normal_side, debits_posted, credits_posted, debits_pending, credits_pending, balance, available,
       entry_version, changed_at
     FROM accounts JOIN balances USING (account_key) WHERE ledger_key = ? AND account_id = ?`,
    [ledgerKey, accountId],
  );
  if (row === undefined) return accountMissing(accountId);
  return found(balanceResource(ledger, accountId, row), row.entry_version);
}

function balanceResource(ledger: string, accountId: string, row: BalanceRow): BalanceResource {
  return {
    ledger,
    accountId,
    asset: row.asset,
    normalSide: row.normal_side,
    balance: amountText(row.balance),
    available: amountText(row.available),
    posted: { debits: amountText(row.debits_posted), credits: amountText(row.credits_posted) },
    pending: { debits: amountText(row.debits_pending), credits: amountText(row.credits_pending) },
    entryVersion: row.entry_version,
    changedAt: instantText(row.changed_at),
  };
}

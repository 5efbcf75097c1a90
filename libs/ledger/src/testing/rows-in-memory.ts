import type { RecordedEvent } from '@holdfast/event-store';
import { type AccountRow, accountRowOf } from '../projections/account-row.js';
import { type BalanceRow, balanceRowsOf } from '../projections/balance-row.js';
import { type StatementLineRow, statementLinesOf } from '../projections/statement-line.js';
import {
  type TransferRow,
  transferMetadataRowOf,
  transferRowOf,
} from '../projections/transfer-row.js';
import {
  type TrialBalanceRow,
  addTrialBalance,
  trialBalanceChangesOf,
} from '../projections/trial-balance-row.js';

/** What an SQL store would hold: rows by key, the newest in place of the older. */
export class RowsInMemory {
  readonly accounts = new Map<string, AccountRow>();
  readonly balances = new Map<string, BalanceRow>();
  readonly lines: StatementLineRow[] = [];
  readonly transfers = new Map<string, TransferRow>();
  readonly trialBalances = new Map<string, TrialBalanceRow>();

  constructor(events: readonly RecordedEvent[]) {
    for (const event of events) {
      const account = accountRowOf(event);
      if (account) this.accounts.set(account.accountId, account);
      for (const row of balanceRowsOf(event)) this.balances.set(row.accountId, row);
      this.lines.push(...statementLinesOf(event));
      const transfer = transferRowOf(event);
      if (transfer) this.transfers.set(transfer.transferId, transfer);
      const change = transferMetadataRowOf(event);
      if (change) {
        const before = this.transfers.get(change.transferId)!;
        this.transfers.set(change.transferId, { ...before, ...change });
      }
      for (const row of trialBalanceChangesOf(event))
        this.trialBalances.set(row.asset, addTrialBalance(this.trialBalances.get(row.asset), row));
    }
  }
}

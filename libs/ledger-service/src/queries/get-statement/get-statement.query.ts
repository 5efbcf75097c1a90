import type { Side } from '@holdfast/ledger';
import { instantText } from '@holdfast/ledger/reading';
import { amountText } from '../amount-text.js';
import { type Asking, type StoredAmount, rowOf, rowsOf } from '../asking.js';
import { type Finding, accountMissing, found, ledgerMissing } from '../finding.js';
import { ledgerKeyOf } from '../keys.js';
import type { NumbersKey, PageRequest } from '../page-request.js';
import { paged } from '../paged.js';
import type { Statement, StatementLine } from './statement.js';

interface StatementAccount {
  readonly account_key: number;
  readonly asset: string;
  readonly normal_side: Side;
}

interface LineRow {
  readonly entry_version: number;
  readonly line: number;
  readonly side: Side;
  readonly amount: StoredAmount;
  readonly balance: StoredAmount;
  readonly effective_at: number;
  readonly transfer_id: string;
  readonly reference: string | null;
  readonly recorded_at: number;
}

export function* getStatement(
  ledger: string,
  accountId: string,
  page: PageRequest<NumbersKey>,
): Asking<Finding<Statement>> {
  const ledgerKey = yield* ledgerKeyOf(ledger);
  if (ledgerKey === undefined) return ledgerMissing(ledger);
  const account = yield* rowOf<StatementAccount>(
    'SELECT account_key, asset, normal_side FROM accounts WHERE ledger_key = ? AND account_id = ?',
    [ledgerKey, accountId],
  );
  if (account === undefined) return accountMissing(accountId);
  const { account_key, asset, normal_side: normalSide } = account;
  const lines = yield* paged(page, {
    portionOf: (beyond, count) => linesOf(account_key, page, beyond, count),
    keyOf: ({ entry_version, line }): NumbersKey => [entry_version, line],
    itemOf: lineOf,
  });
  return found({ ledger, accountId, asset, normalSide, ...lines });
}

function linesOf(
  accountKey: number,
  { comparison, order }: PageRequest<NumbersKey>,
  beyond: NumbersKey,
  count: number,
): Asking<readonly LineRow[]> {
  return rowsOf<LineRow>(
    `SELECT entry_version, line, side, amount, balance, l.effective_at, transfer_id, reference, recorded_at
     FROM statement_lines l CROSS JOIN transfers USING (position)
     WHERE account_key = ? AND (entry_version, line) ${comparison} (?, ?)
     ORDER BY entry_version ${order}, line ${order} LIMIT ?`,
    [accountKey, ...beyond, count],
  );
}

function lineOf(row: LineRow): StatementLine {
  return {
    entryVersion: row.entry_version,
    line: row.line,
    transferId: row.transfer_id,
    reference: row.reference,
    side: row.side,
    amount: amountText(row.amount),
    balance: amountText(row.balance),
    effectiveAt: instantText(row.effective_at),
    recordedAt: instantText(row.recorded_at),
  };
}

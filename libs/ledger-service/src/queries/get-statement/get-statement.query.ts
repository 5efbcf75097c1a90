import type { Side } from '@holdfast/ledger';
import { instantText } from '@holdfast/ledger/reading';
import type { ReadModelSnapshot } from '@holdfast/projections';
import { amountText } from '../amount-text.js';
import { type Finding, accountMissing, found, ledgerMissing } from '../finding.js';
import { ledgerKeyOf } from '../keys.js';
import type { NumbersKey, PageRequest } from '../page-request.js';
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
  readonly amount: Buffer;
  readonly balance: Buffer;
  readonly effective_at: number;
  readonly transfer_id: string;
  readonly reference: string | null;
  readonly recorded_at: number;
}

export function getStatement(
  snapshot: ReadModelSnapshot,
  ledger: string,
  accountId: string,
  page: PageRequest<NumbersKey>,
): Finding<Statement> {
  const ledgerKey = ledgerKeyOf(snapshot, ledger);
  if (ledgerKey === undefined) return ledgerMissing(ledger);
  const account = snapshot
    .prepare<[number, string], StatementAccount>(
      'SELECT account_key, asset, normal_side FROM accounts WHERE ledger_key = ? AND account_id = ?',
    )
    .get(ledgerKey, accountId);
  if (account === undefined) return accountMissing(accountId);
  const { account_key, asset, normal_side: normalSide } = account;
  const rows = linesOf(snapshot, account_key, page);
  const lines = page.pageOf(rows, ({ entry_version, line }) => [entry_version, line], lineOf);
  return found({ ledger, accountId, asset, normalSide, ...lines });
}

function linesOf(
  snapshot: ReadModelSnapshot,
  accountKey: number,
  { beyond, comparison, order, limit }: PageRequest<NumbersKey>,
): Iterable<LineRow> {
  return snapshot
    .prepare<[number, number, number, number], LineRow>(
      `SELECT entry_version, line, side, amount, balance, l.effective_at, transfer_id, reference, recorded_at
       FROM statement_lines l CROSS JOIN transfers USING (position)
       WHERE account_key = ? AND (entry_version, line) ${comparison} (?, ?)
       ORDER BY entry_version ${order}, line ${order} LIMIT ?`,
    )
    .iterate(accountKey, ...beyond, limit + 1);
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

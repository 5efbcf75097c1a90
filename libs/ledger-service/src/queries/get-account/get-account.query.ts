import type { AccountResource } from '@holdfast/ledger';
import type { ReadModelSnapshot } from '@holdfast/projections';
import { type Finding, accountMissing, found, ledgerMissing } from '../finding.js';
import { ledgerKeyOf } from '../keys.js';
import { ACCOUNT_COLUMNS, type AccountRow, accountResourceOf } from '../rows.js';

export function getAccount(
  snapshot: ReadModelSnapshot,
  ledger: string,
  accountId: string,
): Finding<AccountResource> {
  const ledgerKey = ledgerKeyOf(snapshot, ledger);
  if (ledgerKey === undefined) return ledgerMissing(ledger);
  const row = snapshot
    .prepare<[number, string], AccountRow>(
      `SELECT ${ACCOUNT_COLUMNS} FROM accounts WHERE ledger_key = ? AND account_id = ?`,
    )
    .get(ledgerKey, accountId);
  return row === undefined
    ? accountMissing(accountId)
    : found(accountResourceOf(ledger, row), row.version);
}

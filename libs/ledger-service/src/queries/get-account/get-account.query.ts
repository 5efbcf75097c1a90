import type { AccountResource } from '@holdfast/ledger';
import { type Asking, rowOf } from '../asking.js';
import { type Finding, accountMissing, found, ledgerMissing } from '../finding.js';
import { ledgerKeyOf } from '../keys.js';
import { ACCOUNT_COLUMNS, type AccountRow, accountResourceOf } from '../rows.js';

export function* getAccount(ledger: string, accountId: string): Asking<Finding<AccountResource>> {
  const ledgerKey = yield* ledgerKeyOf(ledger);
  if (ledgerKey === undefined) return ledgerMissing(ledger);
  const row = yield* rowOf<AccountRow>(
    `SELECT ${ACCOUNT_COLUMNS} FROM accounts WHERE ledger_key = ? AND account_id = ?`,
    [ledgerKey, accountId],
  );
  return row === undefined
    ? accountMissing(accountId)
    : found(accountResourceOf(ledger, row), row.version);
}

import type { TransferResource } from '@holdfast/ledger';
import { type Asking, rowOf } from '../asking.js';
import { type Finding, found, ledgerMissing, transferMissing } from '../finding.js';
import { ledgerKeyOf } from '../keys.js';
import { TRANSFER_COLUMNS, type TransferRow, transferResourceOf } from '../rows.js';

export function* getTransfer(
  ledger: string,
  transferId: string,
): Asking<Finding<TransferResource>> {
  const ledgerKey = yield* ledgerKeyOf(ledger);
  if (ledgerKey === undefined) return ledgerMissing(ledger);
  const row = yield* rowOf<TransferRow>(
    `SELECT ${TRANSFER_COLUMNS} FROM transfers WHERE transfer_id = ? AND ledger_key = ?`,
    [transferId, ledgerKey],
  );
  return row === undefined
    ? transferMissing(transferId)
    : found(transferResourceOf(ledger, row), row.version);
}

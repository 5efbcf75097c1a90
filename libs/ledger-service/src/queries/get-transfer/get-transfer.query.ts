import type { TransferResource } from '@holdfast/ledger';
import type { ReadModelSnapshot } from '@holdfast/projections';
import { type Finding, found, ledgerMissing, transferMissing } from '../finding.js';
import { ledgerKeyOf } from '../keys.js';
import { TRANSFER_COLUMNS, type TransferRow, transferResourceOf } from '../rows.js';

export function getTransfer(
  snapshot: ReadModelSnapshot,
  ledger: string,
  transferId: string,
): Finding<TransferResource> {
  const ledgerKey = ledgerKeyOf(snapshot, ledger);
  if (ledgerKey === undefined) return ledgerMissing(ledger);
  const row = snapshot
    .prepare<[string, number], TransferRow>(
      `SELECT ${TRANSFER_COLUMNS} FROM transfers WHERE transfer_id = ? AND ledger_key = ?`,
    )
    .get(transferId, ledgerKey);
  return row === undefined
    ? transferMissing(transferId)
    : found(transferResourceOf(ledger, row), row.version);
}

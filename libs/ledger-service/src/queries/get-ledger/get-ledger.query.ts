import type { LedgerResource } from '@holdfast/ledger';
import { type Asking, rowOf } from '../asking.js';
import { type Finding, found, ledgerMissing } from '../finding.js';
import { type LedgerRow, ledgerResourceOf } from '../rows.js';

export function* getLedger(ledger: string): Asking<Finding<LedgerResource>> {
  const row = yield* rowOf<LedgerRow>('SELECT ledger, opened_at FROM ledgers WHERE ledger = ?', [
    ledger,
  ]);
  return row === undefined ? ledgerMissing(ledger) : found(ledgerResourceOf(row));
}

import type { LedgerResource } from '@holdfast/ledger';
import type { ReadModelSnapshot } from '@holdfast/projections';
import { type Finding, found, ledgerMissing } from '../finding.js';
import { type LedgerRow, ledgerResourceOf } from '../rows.js';

export function getLedger(snapshot: ReadModelSnapshot, ledger: string): Finding<LedgerResource> {
  const row = snapshot
    .prepare<[string], LedgerRow>('SELECT ledger, opened_at FROM ledgers WHERE ledger = ?')
    .get(ledger);
  return row === undefined ? ledgerMissing(ledger) : found(ledgerResourceOf(row));
}

import type { ReadModelSnapshot } from '@holdfast/projections';

/** The key of a ledger's rows, or undefined when it has not been opened. */
export function ledgerKeyOf(snapshot: ReadModelSnapshot, ledger: string): number | undefined {
  return snapshot
    .prepare<[string], { ledger_key: number }>('SELECT ledger_key FROM ledgers WHERE ledger = ?')
    .get(ledger)?.ledger_key;
}

import { type Asking, rowOf } from './asking.js';

/** The key of a ledger's rows, or undefined when it has not been opened. */
export function* ledgerKeyOf(ledger: string): Asking<number | undefined> {
  const row = yield* rowOf<{ readonly ledger_key: number }>(
    'SELECT ledger_key FROM ledgers WHERE ledger = ?',
    [ledger],
  );
  return row?.ledger_key;
}

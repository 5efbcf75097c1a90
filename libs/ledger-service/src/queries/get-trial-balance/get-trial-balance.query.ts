import { amountText } from '../amount-text.js';
import { type Asking, type StoredAmount, rowsOf } from '../asking.js';
import { type Finding, found, ledgerMissing } from '../finding.js';
import { ledgerKeyOf } from '../keys.js';
import type { AssetTotals, TrialBalance } from './trial-balance.js';

interface TotalsRow {
  readonly asset: string;
  readonly scale: number;
  readonly debits: StoredAmount;
  readonly credits: StoredAmount;
}

/** Not in pages: totals of different moments could not be compared. */
export function* getTrialBalance(ledger: string): Asking<Finding<TrialBalance>> {
  const ledgerKey = yield* ledgerKeyOf(ledger);
  if (ledgerKey === undefined) return ledgerMissing(ledger);
  const rows = yield* rowsOf<TotalsRow>(
    'SELECT asset, scale, debits, credits FROM assets WHERE ledger_key = ? ORDER BY asset',
    [ledgerKey],
  );
  return found({ ledger, items: rows.map(totalsOf) });
}

function totalsOf({ asset, scale, ...totals }: TotalsRow): AssetTotals {
  const [debits, credits] = [amountText(totals.debits), amountText(totals.credits)];
  return { asset, scale, debits, credits, balanced: debits === credits };
}

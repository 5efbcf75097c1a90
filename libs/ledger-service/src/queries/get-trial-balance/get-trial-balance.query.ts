import type { ReadModelSnapshot } from '@holdfast/projections';
import { amountText } from '../amount-text.js';
import { type Finding, found, ledgerMissing } from '../finding.js';
import { ledgerKeyOf } from '../keys.js';
import type { AssetTotals, TrialBalance } from './trial-balance.js';

interface TotalsRow {
  readonly asset: string;
  readonly scale: number;
  readonly debits: Buffer;
  readonly credits: Buffer;
}

/** Not in pages: totals of different moments could not be compared. */
export function getTrialBalance(
  snapshot: ReadModelSnapshot,
  ledger: string,
): Finding<TrialBalance> {
  const ledgerKey = ledgerKeyOf(snapshot, ledger);
  if (ledgerKey === undefined) return ledgerMissing(ledger);
  const rows = snapshot
    .prepare<[number], TotalsRow>(
      'SELECT asset, scale, debits, credits FROM assets WHERE ledger_key = ? ORDER BY asset',
    )
    .all(ledgerKey);
  return found({ ledger, items: rows.map(totalsOf) });
}

function totalsOf({ asset, scale, ...totals }: TotalsRow): AssetTotals {
  const [debits, credits] = [amountText(totals.debits), amountText(totals.credits)];
  return { asset, scale, debits, credits, balanced: debits === credits };
}

import type { AssetResource } from '@holdfast/ledger';
import { type Asking, rowOf } from '../asking.js';
import { type Finding, assetMissing, found, ledgerMissing } from '../finding.js';
import { ledgerKeyOf } from '../keys.js';
import { type AssetRow, assetResourceOf } from '../rows.js';

export function* getAsset(ledger: string, asset: string): Asking<Finding<AssetResource>> {
  const ledgerKey = yield* ledgerKeyOf(ledger);
  if (ledgerKey === undefined) return ledgerMissing(ledger);
  const row = yield* rowOf<AssetRow>(
    'SELECT asset, scale, registered_at FROM assets WHERE ledger_key = ? AND asset = ?',
    [ledgerKey, asset],
  );
  return row === undefined ? assetMissing(asset) : found(assetResourceOf(ledger, row));
}

import type { AssetResource } from '@holdfast/ledger';
import type { ReadModelSnapshot } from '@holdfast/projections';
import { type Finding, assetMissing, found, ledgerMissing } from '../finding.js';
import { ledgerKeyOf } from '../keys.js';
import { type AssetRow, assetResourceOf } from '../rows.js';

export function getAsset(
  snapshot: ReadModelSnapshot,
  ledger: string,
  asset: string,
): Finding<AssetResource> {
  const ledgerKey = ledgerKeyOf(snapshot, ledger);
  if (ledgerKey === undefined) return ledgerMissing(ledger);
  const row = snapshot
    .prepare<[number, string], AssetRow>(
      'SELECT asset, scale, registered_at FROM assets WHERE ledger_key = ? AND asset = ?',
    )
    .get(ledgerKey, asset);
  return row === undefined ? assetMissing(asset) : found(assetResourceOf(ledger, row));
}

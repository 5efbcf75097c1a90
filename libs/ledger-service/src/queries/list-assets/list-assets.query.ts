import type { AssetResource } from '@holdfast/ledger';
import type { ReadModelSnapshot } from '@holdfast/projections';
import { type Finding, found, ledgerMissing } from '../finding.js';
import { ledgerKeyOf } from '../keys.js';
import type { Page, PageRequest } from '../page-request.js';
import { type AssetRow, assetResourceOf } from '../rows.js';

/** In the order of their codes. */
export function listAssets(
  snapshot: ReadModelSnapshot,
  ledger: string,
  page: PageRequest<string>,
): Finding<Page<AssetResource>> {
  const ledgerKey = ledgerKeyOf(snapshot, ledger);
  if (ledgerKey === undefined) return ledgerMissing(ledger);
  const rows = snapshot
    .prepare<[number, string, number], AssetRow>(
      `SELECT asset, scale, registered_at FROM assets
       WHERE ledger_key = ? AND asset ${page.comparison} ? ORDER BY asset ${page.order} LIMIT ?`,
    )
    .iterate(ledgerKey, page.beyond, page.limit + 1);
  return found(
    page.pageOf(
      rows,
      ({ asset }) => asset,
      (row) => assetResourceOf(ledger, row),
    ),
  );
}

import type { AssetResource } from '@holdfast/ledger';
import { type Asking, rowsOf } from '../asking.js';
import { type Finding, found, ledgerMissing } from '../finding.js';
import { ledgerKeyOf } from '../keys.js';
import type { Page, PageRequest } from '../page-request.js';
import { paged } from '../paged.js';
import { type AssetRow, assetResourceOf } from '../rows.js';

/** In the order of their codes. */
export function* listAssets(
  ledger: string,
  page: PageRequest<string>,
): Asking<Finding<Page<AssetResource>>> {
  const ledgerKey = yield* ledgerKeyOf(ledger);
  if (ledgerKey === undefined) return ledgerMissing(ledger);
  const listed = yield* paged(page, {
    portionOf: (beyond, count) =>
      rowsOf<AssetRow>(
        `SELECT asset, scale, registered_at FROM assets
         WHERE ledger_key = ? AND asset ${page.comparison} ? ORDER BY asset ${page.order} LIMIT ?`,
        [ledgerKey, beyond, count],
      ),
    keyOf: ({ asset }) => asset,
    itemOf: (row) => assetResourceOf(ledger, row),
  });
  return found(listed);
}

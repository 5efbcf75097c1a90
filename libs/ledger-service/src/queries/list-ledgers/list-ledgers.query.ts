import type { LedgerResource } from '@holdfast/ledger';
import { type Asking, rowsOf } from '../asking.js';
import { type Found, found } from '../finding.js';
import type { Page, PageRequest } from '../page-request.js';
import { paged } from '../paged.js';
import { type LedgerRow, ledgerResourceOf } from '../rows.js';

/** In the order of their names. */
export function* listLedgers(page: PageRequest<string>): Asking<Found<Page<LedgerResource>>> {
  const listed = yield* paged(page, {
    portionOf: (beyond, count) =>
      rowsOf<LedgerRow>(
        `SELECT ledger, opened_at FROM ledgers
         WHERE ledger ${page.comparison} ? ORDER BY ledger ${page.order} LIMIT ?`,
        [beyond, count],
      ),
    keyOf: ({ ledger }) => ledger,
    itemOf: ledgerResourceOf,
  });
  return found(listed);
}

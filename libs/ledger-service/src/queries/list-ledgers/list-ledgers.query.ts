import type { LedgerResource } from '@holdfast/ledger';
import type { ReadModelSnapshot } from '@holdfast/projections';
import { type Found, found } from '../finding.js';
import type { Page, PageRequest } from '../page-request.js';
import { type LedgerRow, ledgerResourceOf } from '../rows.js';

/** In the order of their names. */
export function listLedgers(
  snapshot: ReadModelSnapshot,
  page: PageRequest<string>,
): Found<Page<LedgerResource>> {
  const rows = snapshot
    .prepare<[string, number], LedgerRow>(
      `SELECT ledger, opened_at FROM ledgers
       WHERE ledger ${page.comparison} ? ORDER BY ledger ${page.order} LIMIT ?`,
    )
    .iterate(page.beyond, page.limit + 1);
  return found(page.pageOf(rows, ({ ledger }) => ledger, ledgerResourceOf));
}

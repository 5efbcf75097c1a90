import type { AccountResource } from '@holdfast/ledger';
import type { ReadModelSnapshot } from '@holdfast/projections';
import { type Finding, found, ledgerMissing } from '../finding.js';
import { ledgerKeyOf } from '../keys.js';
import type { Page, PageRequest } from '../page-request.js';
import { ACCOUNT_COLUMNS, type AccountRow, accountResourceOf } from '../rows.js';

/** In the order of their ids. */
export function listAccounts(
  snapshot: ReadModelSnapshot,
  ledger: string,
  page: PageRequest<string>,
): Finding<Page<AccountResource>> {
  const ledgerKey = ledgerKeyOf(snapshot, ledger);
  if (ledgerKey === undefined) return ledgerMissing(ledger);
  const rows = snapshot
    .prepare<[number, string, number], AccountRow>(
      `SELECT ${ACCOUNT_COLUMNS} FROM accounts
       WHERE ledger_key = ? AND account_id ${page.comparison} ? ORDER BY account_id ${page.order} LIMIT ?`,
    )
    .iterate(ledgerKey, page.beyond, page.limit + 1);
  return found(
    page.pageOf(
      rows,
      ({ account_id }) => account_id,
      (row) => accountResourceOf(ledger, row),
    ),
  );
}

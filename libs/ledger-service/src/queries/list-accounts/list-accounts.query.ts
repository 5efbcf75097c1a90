import type { AccountResource } from '@holdfast/ledger';
import { type Asking, rowsOf } from '../asking.js';
import { type Finding, found, ledgerMissing } from '../finding.js';
import { ledgerKeyOf } from '../keys.js';
import type { Page, PageRequest } from '../page-request.js';
import { paged } from '../paged.js';
import { ACCOUNT_COLUMNS, type AccountRow, accountResourceOf } from '../rows.js';

/** In the order of their ids. */
export function* listAccounts(
  ledger: string,
  page: PageRequest<string>,
): Asking<Finding<Page<AccountResource>>> {
  const ledgerKey = yield* ledgerKeyOf(ledger);
  if (ledgerKey === undefined) return ledgerMissing(ledger);
  const listed = yield* paged(page, {
    portionOf: (beyond, count) =>
      rowsOf<AccountRow>(
        `SELECT ${ACCOUNT_COLUMNS} FROM accounts
         WHERE ledger_key = ? AND account_id ${page.comparison} ? ORDER BY account_id ${page.order} LIMIT ?`,
        [ledgerKey, beyond, count],
      ),
    keyOf: ({ account_id }) => account_id,
    itemOf: (row) => accountResourceOf(ledger, row),
  });
  return found(listed);
}

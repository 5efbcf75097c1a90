import type { AccountResource } from '@holdfast/ledger';
import { Param, Query } from '@nestjs/common';
import { AccountDto } from '../../shared/resources.dto.js';
import { LedgerTarget } from '../../shared/targets.dto.js';
import { FreshPageQuery } from '../http/fresh-query.dto.js';
import { PageOf } from '../http/pages.dto.js';
import { AnswersQuery, QueryController } from '../http/query-controller.js';
import { type LedgerQuery, ledgerQuery } from '../ledger-query.js';
import { type Page, PageRequest, textKeys } from '../page-request.js';

class AccountsPage extends PageOf(AccountDto) {}

@QueryController('v1/ledgers/:ledger/accounts', 'accounts')
export class ListAccountsController {
  @AnswersQuery({
    summary: "List a ledger's accounts",
    answer: AccountsPage,
    missing: ['ledger-not-found'],
  })
  list(
    @Param() { ledger }: LedgerTarget,
    @Query() query: FreshPageQuery,
  ): LedgerQuery<Page<AccountResource>> {
    const page = PageRequest.of(['accounts', ledger], query, textKeys);
    return ledgerQuery(query, 'listAccounts', ledger, page.place);
  }
}

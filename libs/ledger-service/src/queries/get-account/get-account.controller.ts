import type { AccountResource } from '@holdfast/ledger';
import { Param, Query } from '@nestjs/common';
import { AccountDto } from '../../shared/resources.dto.js';
import { AccountTarget } from '../../shared/targets.dto.js';
import { FreshQuery } from '../http/fresh-query.dto.js';
import { AnswersQuery, QueryController } from '../http/query-controller.js';
import { type LedgerQuery, ledgerQuery } from '../ledger-query.js';

@QueryController('v1/ledgers/:ledger/accounts/:account', 'accounts')
export class GetAccountController {
  @AnswersQuery({
    summary: 'Get an account',
    answer: AccountDto,
    missing: ['ledger-not-found', 'account-not-found'],
    etag: 'The version, and a digest of what is shown. What `If-Match` takes to change the account.',
  })
  get(
    @Param() { ledger, account }: AccountTarget,
    @Query() query: FreshQuery,
  ): LedgerQuery<AccountResource> {
    return ledgerQuery(query, 'getAccount', ledger, account);
  }
}

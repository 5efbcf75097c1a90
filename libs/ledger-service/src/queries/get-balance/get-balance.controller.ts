import { Param, Query } from '@nestjs/common';
import { AccountTarget } from '../../shared/targets.dto.js';
import { FreshQuery } from '../http/fresh-query.dto.js';
import { AnswersQuery, QueryController } from '../http/query-controller.js';
import { type LedgerQuery, ledgerQuery } from '../ledger-query.js';
import type { BalanceResource } from './balance.js';
import { BalanceDto } from './get-balance.dto.js';

@QueryController('v1/ledgers/:ledger/accounts/:account/balance', 'accounts')
export class GetBalanceController {
  @AnswersQuery({
    summary: "Get an account's balance",
    answer: BalanceDto,
    missing: ['ledger-not-found', 'account-not-found'],
    etag: 'The `entryVersion`, and a digest of what is shown.',
  })
  get(
    @Param() { ledger, account }: AccountTarget,
    @Query() query: FreshQuery,
  ): LedgerQuery<BalanceResource> {
    return ledgerQuery(query, 'getBalance', ledger, account);
  }
}

import { Param, Query } from '@nestjs/common';
import { LedgerTarget } from '../../shared/targets.dto.js';
import { FreshQuery } from '../http/fresh-query.dto.js';
import { AnswersQuery, QueryController } from '../http/query-controller.js';
import { type LedgerQuery, ledgerQuery } from '../ledger-query.js';
import { TrialBalanceDto } from './get-trial-balance.dto.js';
import type { TrialBalance } from './trial-balance.js';

@QueryController('v1/ledgers/:ledger/trial-balance', 'reports')
export class GetTrialBalanceController {
  @AnswersQuery({
    summary: "Get a ledger's trial balance",
    answer: TrialBalanceDto,
    missing: ['ledger-not-found'],
  })
  get(@Param() { ledger }: LedgerTarget, @Query() query: FreshQuery): LedgerQuery<TrialBalance> {
    return ledgerQuery(query, 'getTrialBalance', ledger);
  }
}

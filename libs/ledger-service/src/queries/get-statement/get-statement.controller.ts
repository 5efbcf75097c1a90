import { Param, Query } from '@nestjs/common';
import { AccountTarget } from '../../shared/targets.dto.js';
import { FreshPageQuery } from '../http/fresh-query.dto.js';
import { AnswersQuery, QueryController } from '../http/query-controller.js';
import { type LedgerQuery, ledgerQuery } from '../ledger-query.js';
import { PageRequest, numbersKeys } from '../page-request.js';
import { StatementDto } from './get-statement.dto.js';
import type { Statement } from './statement.js';

@QueryController('v1/ledgers/:ledger/accounts/:account/statement', 'reports')
export class GetStatementController {
  @AnswersQuery({
    summary: "Get an account's statement",
    description: 'Every posted leg with the balance after it, in the order of posting.',
    answer: StatementDto,
    missing: ['ledger-not-found', 'account-not-found'],
  })
  get(
    @Param() { ledger, account }: AccountTarget,
    @Query() query: FreshPageQuery,
  ): LedgerQuery<Statement> {
    const page = PageRequest.of(['statement', ledger, account], query, numbersKeys);
    return ledgerQuery(query, 'getStatement', ledger, account, page.place);
  }
}

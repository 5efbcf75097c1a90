import type { LedgerResource } from '@holdfast/ledger';
import { Param, Query } from '@nestjs/common';
import { LedgerDto } from '../../shared/resources.dto.js';
import { LedgerTarget } from '../../shared/targets.dto.js';
import { FreshQuery } from '../http/fresh-query.dto.js';
import { AnswersQuery, QueryController } from '../http/query-controller.js';
import { type LedgerQuery, ledgerQuery } from '../ledger-query.js';

@QueryController('v1/ledgers/:ledger', 'ledgers')
export class GetLedgerController {
  @AnswersQuery({ summary: 'Get a ledger', answer: LedgerDto, missing: ['ledger-not-found'] })
  get(@Param() { ledger }: LedgerTarget, @Query() query: FreshQuery): LedgerQuery<LedgerResource> {
    return ledgerQuery(query, 'getLedger', ledger);
  }
}

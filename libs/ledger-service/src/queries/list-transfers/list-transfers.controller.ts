import type { TransferResource } from '@holdfast/ledger';
import { Param, Query } from '@nestjs/common';
import { TransferDto } from '../../shared/resources.dto.js';
import { LedgerTarget } from '../../shared/targets.dto.js';
import { PageOf } from '../http/pages.dto.js';
import { AnswersQuery, QueryController } from '../http/query-controller.js';
import { type LedgerQuery, ledgerQuery } from '../ledger-query.js';
import { type Page, PageRequest, numbersKeys } from '../page-request.js';
import { ListTransfersQuery } from './list-transfers.dto.js';

class TransfersPage extends PageOf(TransferDto) {}

@QueryController('v1/ledgers/:ledger/transfers', 'transfers')
export class ListTransfersController {
  @AnswersQuery({
    summary: "List a ledger's transfers",
    description:
      'In the order of their time of effect. Conditions are combined; a page may then be short, even empty, and still have a `nextCursor`.',
    answer: TransfersPage,
    missing: ['ledger-not-found'],
  })
  list(
    @Param() { ledger }: LedgerTarget,
    @Query() query: ListTransfersQuery,
  ): LedgerQuery<Page<TransferResource>> {
    const filter = query.filter();
    const { account, reference, metadata, effectiveFromMillis, effectiveBeforeMillis } = filter;
    const page = PageRequest.of(
      [
        'transfers',
        ledger,
        account ?? null,
        reference ?? null,
        metadata === undefined ? null : [metadata.key, metadata.value],
        effectiveFromMillis ?? null,
        effectiveBeforeMillis ?? null,
      ],
      query,
      numbersKeys,
    );
    return ledgerQuery(query, 'listTransfers', ledger, filter, page.place);
  }
}

import type { TransferResource } from '@holdfast/ledger';
import { Param, Query } from '@nestjs/common';
import { TransferDto } from '../../shared/resources.dto.js';
import { TransferTarget } from '../../shared/targets.dto.js';
import { FreshQuery } from '../http/fresh-query.dto.js';
import { AnswersQuery, QueryController } from '../http/query-controller.js';
import { type LedgerQuery, ledgerQuery } from '../ledger-query.js';

@QueryController('v1/ledgers/:ledger/transfers/:transfer', 'transfers')
export class GetTransferController {
  @AnswersQuery({
    summary: 'Get a transfer',
    answer: TransferDto,
    missing: ['ledger-not-found', 'transfer-not-found'],
    etag: "The version, and a digest of what is shown. What `If-Match` takes to change the transfer's metadata.",
  })
  get(
    @Param() { ledger, transfer }: TransferTarget,
    @Query() query: FreshQuery,
  ): LedgerQuery<TransferResource> {
    return ledgerQuery(query, 'getTransfer', ledger, transfer);
  }
}

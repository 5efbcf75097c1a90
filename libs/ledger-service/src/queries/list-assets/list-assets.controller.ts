import type { AssetResource } from '@holdfast/ledger';
import { Param, Query } from '@nestjs/common';
import { AssetDto } from '../../shared/resources.dto.js';
import { LedgerTarget } from '../../shared/targets.dto.js';
import { FreshPageQuery } from '../http/fresh-query.dto.js';
import { PageOf } from '../http/pages.dto.js';
import { AnswersQuery, QueryController } from '../http/query-controller.js';
import { type LedgerQuery, ledgerQuery } from '../ledger-query.js';
import { type Page, PageRequest, textKeys } from '../page-request.js';

class AssetsPage extends PageOf(AssetDto) {}

@QueryController('v1/ledgers/:ledger/assets', 'assets')
export class ListAssetsController {
  @AnswersQuery({
    summary: "List a ledger's assets",
    answer: AssetsPage,
    missing: ['ledger-not-found'],
  })
  list(
    @Param() { ledger }: LedgerTarget,
    @Query() query: FreshPageQuery,
  ): LedgerQuery<Page<AssetResource>> {
    const page = PageRequest.of(['assets', ledger], query, textKeys);
    return ledgerQuery(query, 'listAssets', ledger, page.place);
  }
}

import type { AssetResource } from '@holdfast/ledger';
import { Param, Query } from '@nestjs/common';
import { AssetDto } from '../../shared/resources.dto.js';
import { AssetTarget } from '../../shared/targets.dto.js';
import { FreshQuery } from '../http/fresh-query.dto.js';
import { AnswersQuery, QueryController } from '../http/query-controller.js';
import { type LedgerQuery, ledgerQuery } from '../ledger-query.js';

@QueryController('v1/ledgers/:ledger/assets/:asset', 'assets')
export class GetAssetController {
  @AnswersQuery({
    summary: 'Get an asset',
    answer: AssetDto,
    missing: ['ledger-not-found', 'asset-not-found'],
  })
  get(
    @Param() { ledger, asset }: AssetTarget,
    @Query() query: FreshQuery,
  ): LedgerQuery<AssetResource> {
    return ledgerQuery(query, 'getAsset', ledger, asset);
  }
}

import type { LedgerResource } from '@holdfast/ledger';
import { Query } from '@nestjs/common';
import { LedgerDto } from '../../shared/resources.dto.js';
import { FreshPageQuery } from '../http/fresh-query.dto.js';
import { PageOf } from '../http/pages.dto.js';
import { AnswersQuery, QueryController } from '../http/query-controller.js';
import { type LedgerQuery, ledgerQuery } from '../ledger-query.js';
import { type Page, PageRequest, textKeys } from '../page-request.js';

class LedgersPage extends PageOf(LedgerDto) {}

@QueryController('v1/ledgers', 'ledgers')
export class ListLedgersController {
  @AnswersQuery({ summary: 'List the ledgers', answer: LedgersPage })
  list(@Query() query: FreshPageQuery): LedgerQuery<Page<LedgerResource>> {
    const page = PageRequest.of(['ledgers'], query, textKeys);
    return ledgerQuery(query, 'listLedgers', page.place);
  }
}

import { ApiTags } from '@holdfast/platform';
import { Body, Controller, Param, Post, Query } from '@nestjs/common';
import { resourcePaths } from '../../shared/resource-paths.js';
import { TransferDto } from '../../shared/resources.dto.js';
import { LedgerTarget } from '../../shared/targets.dto.js';
import { ApiCommand } from '../http/api-command.js';
import { CommandEndpoint } from '../http/command-endpoint.js';
import { CommandExchange, Exchange } from '../http/command-exchange.js';
import { WriteQuery } from '../http/write-query.dto.js';
import { PostTransferDto, postTransferCommand } from './post-transfer.dto.js';

@ApiTags('transfers')
@Controller('v1/ledgers/:ledger/transfers')
export class PostTransferController {
  constructor(private readonly commands: CommandEndpoint) {}

  @Post()
  @ApiCommand({
    summary: 'Post a transfer',
    description: '2 to 64 legs, balanced for each asset, all or nothing.',
    resource: TransferDto,
    created: true,
    body: PostTransferDto,
    examples: {
      deposit: {
        key: 'deposit-1',
        body: {
          legs: [
            { accountId: 'cash', side: 'debit', amount: '10000' },
            { accountId: 'alice', side: 'credit', amount: '10000' },
          ],
        },
      },
      payment: {
        key: 'payment-1',
        body: {
          legs: [
            { accountId: 'alice', side: 'debit', amount: '1250' },
            { accountId: 'bob', side: 'credit', amount: '1250' },
          ],
          reference: 'invoice 4711',
          effectiveAt: '2024-01-31T09:30:00.000Z',
          metadata: { order: '4711' },
        },
      },
    },
    problems: [
      'account-not-found',
      'account-frozen',
      'account-closed',
      'reference-exists',
      'version-mismatch',
      'insufficient-funds',
      'ceiling-exceeded',
      'legs-unbalanced',
      'amount-overflow',
      'effective-in-future',
    ],
  })
  post(
    @Param() { ledger }: LedgerTarget,
    @Query() query: WriteQuery,
    @Body() body: PostTransferDto,
    @Exchange() exchange: CommandExchange,
  ) {
    return this.commands.answer(exchange, {
      command: postTransferCommand(ledger, body),
      method: 'POST',
      path: resourcePaths.ofTransfers(ledger),
      body,
      dryRun: query.isDryRun(),
    });
  }
}

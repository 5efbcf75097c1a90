import { ApiTags } from '@holdfast/platform';
import { Body, Controller, Param, Post, Query } from '@nestjs/common';
import { resourcePaths } from '../../shared/resource-paths.js';
import { AccountDto } from '../../shared/resources.dto.js';
import { LedgerTarget } from '../../shared/targets.dto.js';
import { ApiCommand } from '../http/api-command.js';
import { CommandEndpoint } from '../http/command-endpoint.js';
import { CommandExchange, Exchange } from '../http/command-exchange.js';
import { WriteQuery } from '../http/write-query.dto.js';
import { OpenAccountDto, openAccountCommand } from './open-account.dto.js';

@ApiTags('accounts')
@Controller('v1/ledgers/:ledger/accounts')
export class OpenAccountController {
  constructor(private readonly commands: CommandEndpoint) {}

  @Post()
  @ApiCommand({
    summary: 'Open an account',
    resource: AccountDto,
    created: true,
    body: OpenAccountDto,
    examples: {
      cash: { key: 'open-cash', body: { id: 'cash', asset: 'EUR', normalSide: 'debit' } },
      alice: { key: 'open-alice', body: { id: 'alice', asset: 'EUR', normalSide: 'credit' } },
      bob: { key: 'open-bob', body: { id: 'bob', asset: 'EUR', normalSide: 'credit' } },
    },
    problems: ['asset-not-found', 'account-exists'],
  })
  open(
    @Param() { ledger }: LedgerTarget,
    @Query() query: WriteQuery,
    @Body() body: OpenAccountDto,
    @Exchange() exchange: CommandExchange,
  ) {
    return this.commands.answer(exchange, {
      command: openAccountCommand(ledger, body),
      method: 'POST',
      path: resourcePaths.ofAccounts(ledger),
      body,
      dryRun: query.isDryRun(),
    });
  }
}

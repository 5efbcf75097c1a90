import { ApiTags } from '@holdfast/platform';
import { Body, Controller, Param, Patch, Query } from '@nestjs/common';
import { resourcePaths } from '../../shared/resource-paths.js';
import { AccountDto } from '../../shared/resources.dto.js';
import { AccountTarget } from '../../shared/targets.dto.js';
import { ApiCommand } from '../http/api-command.js';
import { CommandEndpoint } from '../http/command-endpoint.js';
import { CommandExchange, Exchange } from '../http/command-exchange.js';
import { WriteQuery } from '../http/write-query.dto.js';
import { ChangeAccountDto } from './change-account.dto.js';

@ApiTags('accounts')
@Controller('v1/ledgers/:ledger/accounts/:account')
export class ChangeAccountController {
  constructor(private readonly commands: CommandEndpoint) {}

  @Patch()
  @ApiCommand({
    summary: "Change an account's floor, ceiling or metadata",
    description: 'What is left out stays. A metadata key with null is removed.',
    resource: AccountDto,
    ifMatch: 'optional',
    body: ChangeAccountDto,
    examples: {
      'allow an overdraft': {
        key: 'overdraft-alice',
        ifMatch: '"1"',
        body: { floor: '-5000', metadata: { plan: 'gold' } },
      },
    },
    problems: ['account-not-found', 'account-closed', 'version-mismatch', 'metadata-keys-exceeded'],
  })
  change(
    @Param() { ledger, account }: AccountTarget,
    @Query() query: WriteQuery,
    @Body() body: ChangeAccountDto,
    @Exchange() exchange: CommandExchange,
  ) {
    const { floor, ceiling, metadata } = body;
    const { expectedVersion } = exchange;
    return this.commands.answer(exchange, {
      command: {
        type: 'ChangeAccount',
        ledger,
        accountId: account,
        expectedVersion,
        floor,
        ceiling,
        metadata,
      },
      method: 'PATCH',
      path: resourcePaths.ofAccount(ledger, account),
      body,
      takesIfMatch: true,
      dryRun: query.isDryRun(),
    });
  }
}

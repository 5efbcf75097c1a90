import { ApiTags } from '@holdfast/platform';
import { Body, Controller, Param, Put, Query } from '@nestjs/common';
import { resourcePaths } from '../../shared/resource-paths.js';
import { AccountDto } from '../../shared/resources.dto.js';
import { AccountTarget } from '../../shared/targets.dto.js';
import { ApiCommand } from '../http/api-command.js';
import { CommandEndpoint } from '../http/command-endpoint.js';
import { CommandExchange, Exchange } from '../http/command-exchange.js';
import { WriteQuery } from '../http/write-query.dto.js';
import { SetAccountStatusDto } from './set-account-status.dto.js';

@ApiTags('accounts')
@Controller('v1/ledgers/:ledger/accounts/:account/status')
export class SetAccountStatusController {
  constructor(private readonly commands: CommandEndpoint) {}

  @Put()
  @ApiCommand({
    summary: 'Freeze, unfreeze or close an account',
    description: 'Closing needs an empty account and is final.',
    resource: AccountDto,
    ifMatch: 'required',
    body: SetAccountStatusDto,
    examples: {
      freeze: { key: 'freeze-alice', ifMatch: '"2"', body: { status: 'frozen' } },
      unfreeze: { key: 'unfreeze-alice', ifMatch: '"3"', body: { status: 'active' } },
    },
    problems: [
      'account-not-found',
      'account-closed',
      'account-not-empty',
      'version-mismatch',
      'precondition-required',
    ],
  })
  setStatus(
    @Param() { ledger, account }: AccountTarget,
    @Query() query: WriteQuery,
    @Body() body: SetAccountStatusDto,
    @Exchange() exchange: CommandExchange,
  ) {
    return this.commands.answer(exchange, {
      command: {
        type: 'SetAccountStatus',
        ledger,
        accountId: account,
        expectedVersion: exchange.requiredVersion,
        status: body.status,
      },
      method: 'PUT',
      path: `${resourcePaths.ofAccount(ledger, account)}/status`,
      body,
      takesIfMatch: true,
      dryRun: query.isDryRun(),
    });
  }
}

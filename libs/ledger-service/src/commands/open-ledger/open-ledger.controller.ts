import { ApiTags } from '@holdfast/platform';
import { Controller, Param, Put, Query } from '@nestjs/common';
import { resourcePaths } from '../../shared/resource-paths.js';
import { LedgerDto } from '../../shared/resources.dto.js';
import { LedgerTarget } from '../../shared/targets.dto.js';
import { ApiCommand } from '../http/api-command.js';
import { CommandEndpoint } from '../http/command-endpoint.js';
import { CommandExchange, Exchange } from '../http/command-exchange.js';
import { WriteQuery } from '../http/write-query.dto.js';

@ApiTags('ledgers')
@Controller('v1/ledgers/:ledger')
export class OpenLedgerController {
  constructor(private readonly commands: CommandEndpoint) {}

  @Put()
  @ApiCommand({
    summary: 'Open a ledger',
    description: 'Idempotent by its name: 201 the first time, 200 from then on.',
    resource: LedgerDto,
    created: true,
    ok: true,
    key: 'optional',
    problems: [],
  })
  open(
    @Param() { ledger }: LedgerTarget,
    @Query() query: WriteQuery,
    @Exchange() exchange: CommandExchange,
  ) {
    exchange.assertEmptyBody();
    return this.commands.answer(exchange, {
      command: { type: 'OpenLedger', ledger },
      method: 'PUT',
      path: resourcePaths.ofLedger(ledger),
      body: {},
      keyOptional: true,
      dryRun: query.isDryRun(),
    });
  }
}

import { ApiTags } from '@holdfast/platform';
import { Body, Controller, Param, Put, Query } from '@nestjs/common';
import { resourcePaths } from '../../shared/resource-paths.js';
import { AssetDto } from '../../shared/resources.dto.js';
import { AssetTarget } from '../../shared/targets.dto.js';
import { ApiCommand } from '../http/api-command.js';
import { CommandEndpoint } from '../http/command-endpoint.js';
import { CommandExchange, Exchange } from '../http/command-exchange.js';
import { WriteQuery } from '../http/write-query.dto.js';
import { RegisterAssetDto } from './register-asset.dto.js';

@ApiTags('assets')
@Controller('v1/ledgers/:ledger/assets/:asset')
export class RegisterAssetController {
  constructor(private readonly commands: CommandEndpoint) {}

  @Put()
  @ApiCommand({
    summary: 'Register an asset',
    description:
      'Idempotent by its code: 201 the first time, 200 from then on. Its scale never changes.',
    resource: AssetDto,
    created: true,
    ok: true,
    key: 'optional',
    body: RegisterAssetDto,
    examples: { euro: { body: { scale: 2 } } },
    problems: ['asset-scale-differs'],
  })
  register(
    @Param() { ledger, asset }: AssetTarget,
    @Query() query: WriteQuery,
    @Body() body: RegisterAssetDto,
    @Exchange() exchange: CommandExchange,
  ) {
    return this.commands.answer(exchange, {
      command: { type: 'RegisterAsset', ledger, asset, scale: body.scale },
      method: 'PUT',
      path: resourcePaths.ofAsset(ledger, asset),
      body,
      keyOptional: true,
      dryRun: query.isDryRun(),
    });
  }
}

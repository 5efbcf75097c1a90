import { ApiTags } from '@holdfast/platform';
import { Body, Controller, Param, Patch, Query } from '@nestjs/common';
import { resourcePaths } from '../../shared/resource-paths.js';
import { TransferMetadataDto } from '../../shared/resources.dto.js';
import { TransferTarget } from '../../shared/targets.dto.js';
import { ApiCommand } from '../http/api-command.js';
import { CommandEndpoint } from '../http/command-endpoint.js';
import { CommandExchange, Exchange } from '../http/command-exchange.js';
import { WriteQuery } from '../http/write-query.dto.js';
import { ChangeTransferMetadataDto } from './change-transfer-metadata.dto.js';

@ApiTags('transfers')
@Controller('v1/ledgers/:ledger/transfers/:transfer/metadata')
export class ChangeTransferMetadataController {
  constructor(private readonly commands: CommandEndpoint) {}

  @Patch()
  @ApiCommand({
    summary: "Change a transfer's metadata",
    description: 'The only thing about a transfer that may change. A key with null is removed.',
    resource: TransferMetadataDto,
    ifMatch: 'optional',
    body: ChangeTransferMetadataDto,
    examples: {
      ship: {
        key: 'ship-order-4711',
        ifMatch: '"1"',
        body: { metadata: { shipped: 'yes', draft: null } },
      },
    },
    problems: ['transfer-not-found', 'version-mismatch', 'metadata-keys-exceeded'],
  })
  change(
    @Param() { ledger, transfer }: TransferTarget,
    @Query() query: WriteQuery,
    @Body() body: ChangeTransferMetadataDto,
    @Exchange() exchange: CommandExchange,
  ) {
    return this.commands.answer(exchange, {
      command: {
        type: 'ChangeTransferMetadata',
        ledger,
        transferId: transfer,
        expectedVersion: exchange.expectedVersion,
        metadata: body.metadata,
      },
      method: 'PATCH',
      path: `${resourcePaths.ofTransfer(ledger, transfer)}/metadata`,
      body,
      takesIfMatch: true,
      dryRun: query.isDryRun(),
    });
  }
}

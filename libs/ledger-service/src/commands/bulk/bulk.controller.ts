import {
  ApiBody,
  ApiOperation,
  ApiResponse,
  ApiTags,
  type FieldError,
  LargeBody,
  invalidRequest,
} from '@holdfast/platform';
import { Body, Controller, HttpCode, Param, Post, Query } from '@nestjs/common';
import { LedgerTarget } from '../../shared/targets.dto.js';
import { ApiProblems } from '../../shared/api-problems.js';
import { dryRunHeader, positionHeader } from '../http/api-command.js';
import { CommandExchange, Exchange } from '../http/command-exchange.js';
import { repeatedKeys } from './bulk-item.js';
import { BULK_EXAMPLES, BulkAnswerDto, BulkDto, BulkQuery } from './bulk.dto.js';
import { BulkEndpoint } from './bulk-endpoint.js';

@ApiTags('bulk')
@Controller('v1/ledgers/:ledger/bulk')
export class BulkController {
  constructor(private readonly bulk: BulkEndpoint) {}

  @Post()
  @LargeBody()
  @HttpCode(200)
  @ApiOperation({
    summary: 'Many commands in one request',
    description:
      'Up to 1,000 commands, each with its own key and decided for itself, in order: it sees the effects of those before it. ' +
      'The answer holds what each would have been answered alone; a malformed one does not stop the others. ' +
      'In a dry run each is decided against the ledger as it is, without the effects of those before it, and needs no key.',
  })
  @ApiBody({ type: BulkDto, examples: BULK_EXAMPLES })
  @ApiResponse({
    status: 200,
    description: 'Each command has its own answer in it. The position is the last of theirs.',
    type: BulkAnswerDto,
    headers: { 'Holdfast-Position': positionHeader, 'Holdfast-Dry-Run': dryRunHeader },
  })
  @ApiProblems('invalid-request', 'too-large', 'unsupported-media-type')
  async post(
    @Param() { ledger }: LedgerTarget,
    @Query() query: BulkQuery,
    @Body() { commands }: BulkDto,
    @Exchange() exchange: CommandExchange,
  ): Promise<string> {
    if (query.atomic === 'true') throw invalidRequest('query', [ATOMIC_NOT_AVAILABLE]);
    // As for a command alone: what an earlier release took is answered as it was.
    if (exchange.otherPrecondition(false) !== undefined)
      if (query.isDryRun() || !this.bulk.knowsAll(ledger, commands, exchange.actor))
        exchange.assertNoOtherPrecondition();
    const errors = query.isDryRun() ? [] : repeatedKeys(commands);
    if (errors.length > 0) throw invalidRequest('body', errors);
    return exchange.answer(
      await this.bulk.answer(ledger, commands, {
        actor: exchange.actor,
        correlationId: exchange.correlationId,
        dryRun: query.isDryRun(),
      }),
    );
  }
}

const ATOMIC_NOT_AVAILABLE: FieldError = {
  pointer: '/atomic',
  detail: 'atomic must be false: true is not available yet',
};

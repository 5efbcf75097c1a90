import { keySpelledAs, keySpellings } from '@holdfast/commands';
import { instantText } from '@holdfast/ledger';
import { ApiOperation, ApiResponse, ApiTags, ProblemException } from '@holdfast/platform';
import { Controller, Get, Param } from '@nestjs/common';
import { LedgerWriter } from '../../write-side/ledger-writer.js';
import { ApiProblems } from '../../shared/api-problems.js';
import { positionHeader } from '../http/api-command.js';
import { CommandExchange, Exchange } from '../http/command-exchange.js';
import { recordedAnswer } from '../http/http-answer.js';
import { CommandDto, CommandTarget } from './find-command.dto.js';

/** Did it happen? Answered by the writer's state, which knows every key, and never by a projection, which may lag. */
@ApiTags('commands')
@Controller('v1/ledgers/:ledger/commands/:key')
export class FindCommandController {
  constructor(private readonly writer: LedgerWriter) {}

  @Get()
  @ApiOperation({
    summary: 'What became of a command, by its idempotency key',
    description:
      '404 is no proof that it will not happen: resubmit it with the same key to be sure.',
  })
  @ApiResponse({
    status: 200,
    description: 'It is in the log, with what it was answered.',
    type: CommandDto,
    headers: { 'Holdfast-Position': positionHeader },
  })
  @ApiProblems(
    'invalid-request',
    'ledger-not-found',
    'command-not-found',
    'answer-removed',
    'storage-unavailable',
  )
  async find(
    @Param() { ledger, key: spelled }: CommandTarget,
    @Exchange() exchange: CommandExchange,
  ): Promise<string> {
    if (!this.writer.hasLedger(ledger))
      throw new ProblemException('ledger-not-found', { parameters: { ledger } });
    const { found, key } = await this.search(ledger, exchange.actor, spelled);
    if (found === undefined)
      throw new ProblemException('command-not-found', { parameters: { key } });
    const { outcome, recordedAtMillis, answer, position } = found;
    const { status, headers, body } = recordedAnswer(answer, this.writer.log, position);
    return exchange.answer({
      status: 200,
      headers: { 'Holdfast-Position': headers['Holdfast-Position'] ?? '' },
      body: {
        key,
        outcome,
        recordedAt: instantText(recordedAtMillis),
        answer: { status, headers, body },
      },
    });
  }

  /** What is found, and under which key: the one that the text stands for, or a spelling of it that an earlier release recorded. */
  private async search(ledger: string, actor: string, spelledKey: string) {
    for (const key of keySpellings(spelledKey)) {
      const found = await this.writer.find({ scope: ledger, actor, key });
      if (found !== undefined) return { found, key };
    }
    return { found: undefined, key: keySpelledAs(spelledKey) };
  }
}

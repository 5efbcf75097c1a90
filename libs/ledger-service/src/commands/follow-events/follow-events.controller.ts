import { PUBLIC_EVENT_TYPES, PUBLIC_FACTS, publicEventOf, streams, tags } from '@holdfast/ledger';
import { type Followed, Follows } from '@holdfast/nestjs/events';
import {
  ApiExtraModels,
  ApiHeader,
  ApiOperation,
  ApiResponse,
  ApiTags,
  ProblemException,
  getSchemaPath,
} from '@holdfast/platform';
import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiProblems } from '../../shared/api-problems.js';
import { LedgerTarget } from '../../shared/targets.dto.js';
import { LedgerWriter } from '../../write-side/ledger-writer.js';
import { positionHeader } from '../http/api-command.js';
import { EventDto, EventsPageDto, FollowEventsQuery } from './follow-events.dto.js';

const text = { schema: { type: 'string' } } as const;

/** What happened to the books of a ledger: answered by the process that has the log. */
@ApiTags('events')
@ApiExtraModels(EventDto, EventsPageDto)
@Controller('v1/ledgers/:ledger/events')
export class FollowEventsController {
  constructor(private readonly writer: LedgerWriter) {}

  @Get()
  @Follows()
  @ApiOperation({
    summary: "Read or follow a ledger's events",
    description:
      'In the order of the log, durable ones only. By `Accept` a page of JSON, a line of JSON for each event there is, or a live stream of server-sent events, whose `id` is a position. Whoever goes on after the last position gets each event behind it once.',
  })
  @ApiHeader({
    name: 'Last-Event-ID',
    required: false,
    description: 'As `after`, for a live stream that is taken up again.',
    ...text,
  })
  @ApiResponse({
    status: 200,
    description: 'Events.',
    headers: {
      'Holdfast-Position': {
        ...positionHeader,
        description: 'How far the answer goes; of a live stream, and of so many lines, none.',
      },
    },
    content: {
      'application/json': { schema: { $ref: getSchemaPath(EventsPageDto) } },
      'application/x-ndjson': text,
      'text/event-stream': text,
    },
  })
  @ApiProblems(
    'invalid-request',
    'position-unknown',
    'ledger-not-found',
    'not-acceptable',
    'events-gone',
    'overloaded',
    'storage-unavailable',
    'too-many-streams',
    'service-stopping',
  )
  follow(
    @Param() { ledger }: LedgerTarget,
    @Query() { types, accounts }: FollowEventsQuery,
  ): Followed {
    if (!this.writer.hasLedger(ledger))
      throw new ProblemException('ledger-not-found', { parameters: { ledger } });
    return {
      filter: {
        streamPrefix: streams.prefixOf(ledger),
        types: types === undefined ? PUBLIC_FACTS : PUBLIC_EVENT_TYPES,
        ...(accounts && { tags: accounts.map((id) => tags.ofAccount(ledger, id)) }),
      },
      shows: publicEventOf,
    };
  }
}

import { WalEventLog } from '@holdfast/event-store';
import { ApiOperation, ApiResponse, ApiTags } from '@holdfast/platform';
import { Body, Controller, Get, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { AdminProblems } from '../admin-problems.js';
import { StartsJob, startedJob } from '../jobs/job-answer.js';
import type { JobDto } from '../jobs/jobs.dto.js';
import type { DtoShape } from '../dto-shape.js';
import { Jobs, scrubLog, verifyLog } from '@holdfast/operations';
import { LogDto, SCRUB_BYTES_PER_SECOND_DEFAULT, ScrubDto } from './log.dto.js';

@ApiTags('log')
@Controller('admin/log')
export class LogController {
  constructor(
    private readonly log: WalEventLog,
    private readonly jobs: Jobs,
  ) {}

  @Get()
  @ApiOperation({ summary: 'What the log holds, and how it is written' })
  @ApiResponse({ status: 200, type: LogDto })
  @AdminProblems()
  statistics(): DtoShape<LogDto> {
    const { firstSequence, durableSequence, lastSequence, records, ...stats } = this.log.stats();
    const { logId, epoch, timeline, durability, ioMode, segments, logBytes, queuedBytes } = stats;
    const { liveBytes, archivedSegments, archiveBytes } = stats;
    const { commits, bytesWritten, rotations, commitMicrosMax } = stats;
    return {
      ...{ logId, epoch, timeline, durability, ioMode },
      ...{ firstPosition: firstSequence, durablePosition: durableSequence },
      ...{ lastPosition: lastSequence, segments, logBytes, queuedBytes },
      ...{ liveBytes, archivedSegments, archiveBytes },
      ...{ commits, events: records, bytesWritten, rotations, commitMicrosMax },
    };
  }

  @Post('verify')
  @ApiOperation({ summary: 'Read every byte of the log and report every damage' })
  @StartsJob()
  verify(@Res({ passthrough: true }) reply: FastifyReply): DtoShape<JobDto> {
    const { wal } = this.log;
    return startedJob(
      this.jobs.start('verify-log', 'checks', (context) => verifyLog(wal, context)),
      reply,
    );
  }

  @Post('scrub')
  @ApiOperation({ summary: 'One pass over the sealed segments at a bounded rate' })
  @StartsJob('invalid-request')
  scrub(@Body() body: ScrubDto, @Res({ passthrough: true }) reply: FastifyReply): DtoShape<JobDto> {
    const { wal } = this.log;
    const rate = body.bytesPerSecond ?? SCRUB_BYTES_PER_SECOND_DEFAULT;
    return startedJob(
      this.jobs.start('scrub-log', 'checks', (context) => scrubLog(wal, rate, context)),
      reply,
    );
  }
}

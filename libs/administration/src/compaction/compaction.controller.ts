import { WalEventLog } from '@holdfast/event-store';
import { ApiOperation, ApiTags } from '@holdfast/platform';
import { Body, Controller, Post, Res, type Type } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { StartsJob, startedJob } from '../jobs/job-answer.js';
import type { JobDto } from '../jobs/jobs.dto.js';
import {
  ConsumerFloors,
  Jobs,
  type CompactionPolicy,
  compactLog,
  planCompaction,
} from '@holdfast/operations';
import type { DtoShape } from '../dto-shape.js';
import { CompactionDto } from './compaction.dto.js';

/** Of a service that can do without some of its events: what these are, the policy says. */
export function compactionControllerFor(policy: CompactionPolicy): Type {
  const { summary, description } = policy;

  @ApiTags('compaction')
  @Controller('admin/compactions')
  class CompactionController {
    constructor(
      private readonly log: WalEventLog,
      private readonly jobs: Jobs,
      private readonly floors: ConsumerFloors,
    ) {}

    @Post()
    @ApiOperation({ summary, description })
    @StartsJob('invalid-request')
    compact(
      @Body() { dryRun = false }: CompactionDto,
      @Res({ passthrough: true }) reply: FastifyReply,
    ): DtoShape<JobDto> {
      const { log, jobs } = this;
      // Of one who came a moment ago too.
      this.floors.move();
      const job = dryRun
        ? jobs.start('plan-compaction', 'checks', (context) => planCompaction(log, policy, context))
        : jobs.start('compact', 'changes', (context) => compactLog(log, policy, context));
      return startedJob(job, reply);
    }
  }
  return CompactionController;
}

import { ApiOperation, ApiTags } from '@holdfast/platform';
import { Body, Controller, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { LedgerWriter } from '../../write-side/ledger-writer.js';
import type { WorkContext } from '../jobs/job.js';
import { StartsJob, startedJob } from '../jobs/job-answer.js';
import type { JobDto } from '../jobs/jobs.dto.js';
import { Jobs } from '../jobs/jobs.js';
import type { DtoShape } from '../dto-shape.js';
import { CompactionDto } from './compaction.dto.js';
import { compactLedger, planCompaction } from './ledger-compaction.js';

@ApiTags('compaction')
@Controller('admin/compactions')
export class CompactionController {
  constructor(
    private readonly writer: LedgerWriter,
    private readonly jobs: Jobs,
  ) {}

  @Post()
  @ApiOperation({
    summary: 'Rewrite sealed segments without what the books can do without',
    description:
      'Refusals and superseded metadata whose idempotency keys have expired, and never money. A dry run counts by reason. Only below every floor and below the older of two snapshots.',
  })
  @StartsJob('invalid-request')
  compact(
    @Body() { dryRun = false }: CompactionDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): DtoShape<JobDto> {
    const { log } = this.writer;
    const job = dryRun
      ? this.jobs.start('plan-compaction', 'checks', (context: WorkContext) =>
          planCompaction(log, context),
        )
      : this.jobs.start('compact', 'changes', (context: WorkContext) =>
          compactLedger(log, context),
        );
    return startedJob(job, reply);
  }
}

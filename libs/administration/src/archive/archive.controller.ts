import { WalEventLog } from '@holdfast/event-store';
import { ApiOperation, ApiTags } from '@holdfast/platform';
import { Controller, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { StartsJob, startedJob } from '../jobs/job-answer.js';
import type { JobDto } from '../jobs/jobs.dto.js';
import { Jobs, archiveSealed } from '@holdfast/operations';
import type { DtoShape } from '../dto-shape.js';

@ApiTags('archive')
@Controller('admin/archive')
export class ArchiveController {
  constructor(
    private readonly log: WalEventLog,
    private readonly jobs: Jobs,
  ) {}

  @Post()
  @ApiOperation({
    summary: 'Copy sealed segments to the archive',
    description: 'Compressed, read back and compared. Removes nothing: retention does.',
  })
  @StartsJob()
  archive(@Res({ passthrough: true }) reply: FastifyReply): DtoShape<JobDto> {
    const { wal } = this.log;
    const job = this.jobs.start('archive', 'changes', (context) => archiveSealed(wal, context));
    return startedJob(job, reply);
  }
}

import { ApiOperation, ApiResponse, ApiTags } from '@holdfast/platform';
import { Controller, Get, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { AdminProblems } from '../admin-problems.js';
import { StartsJob, startedJob } from '../jobs/job-answer.js';
import type { JobDto } from '../jobs/jobs.dto.js';
import { Jobs, LogRetention } from '@holdfast/operations';
import type { DtoShape } from '../dto-shape.js';
import { RetentionDto } from './retention.dto.js';

@ApiTags('retention')
@Controller('admin/retention')
export class RetentionController {
  constructor(
    private readonly retention: LogRetention,
    private readonly jobs: Jobs,
  ) {}

  @Get()
  @ApiOperation({ summary: 'What the policy would remove just now, and what keeps the rest' })
  @ApiResponse({ status: 200, type: RetentionDto })
  @AdminProblems()
  plan(): DtoShape<RetentionDto> {
    return this.retention.plan();
  }

  @Post('apply')
  @ApiOperation({ summary: 'Apply the policy: archive what is sealed, remove what may go' })
  @StartsJob()
  apply(@Res({ passthrough: true }) reply: FastifyReply): DtoShape<JobDto> {
    const job = this.jobs.start('retention', 'changes', (context) => this.retention.apply(context));
    return startedJob(job, reply);
  }
}

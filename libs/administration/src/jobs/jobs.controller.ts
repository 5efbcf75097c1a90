import { ApiOperation, ApiResponse, ApiTags, ProblemException } from '@holdfast/platform';
import { Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { AdminProblems } from '../admin-problems.js';
import type { DtoShape } from '../dto-shape.js';
import { type JobStatus, Jobs } from '@holdfast/operations';
import { JobDto, JobListDto, JobTarget, jobDto } from './jobs.dto.js';

@ApiTags('jobs')
@Controller('admin/jobs')
export class JobsController {
  constructor(private readonly jobs: Jobs) {}

  @Get()
  @AdminProblems()
  @ApiOperation({ summary: 'What runs, what waits, and what has ended lately' })
  @ApiResponse({ status: 200, type: JobListDto })
  list(): DtoShape<JobListDto> {
    return { items: this.jobs.list().map(jobDto) };
  }

  @Get(':job')
  @ApiOperation({ summary: 'How far a job has come' })
  @ApiResponse({ status: 200, type: JobDto })
  @AdminProblems('job-not-found')
  one(@Param() { job }: JobTarget): DtoShape<JobDto> {
    return jobDto(found(this.jobs.get(job), job));
  }

  @Post(':job/cancel')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Ask a job to stop',
    description: 'It stops at the next safe place. One that has ended stays as it is.',
  })
  @ApiResponse({ status: 200, type: JobDto })
  @AdminProblems('job-not-found')
  cancel(@Param() { job }: JobTarget): DtoShape<JobDto> {
    return jobDto(found(this.jobs.cancel(job), job));
  }
}

function found(status: JobStatus | undefined, job: string): JobStatus {
  if (status === undefined) throw new ProblemException('job-not-found', { parameters: { job } });
  return status;
}

import { ApiResponse } from '@holdfast/platform';
import { HttpCode, applyDecorators } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { AdminProblems } from '../admin-problems.js';
import type { DtoShape } from '../dto-shape.js';
import type { JobStatus } from '@holdfast/operations';
import { JobDto, jobDto } from './jobs.dto.js';

/** The handler starts a job: 202, with where to look for it. */
export function StartsJob(...problems: readonly string[]): MethodDecorator {
  return applyDecorators(
    HttpCode(202),
    ApiResponse({
      status: 202,
      description: 'It has begun, or waits for its turn. Location says where to look.',
      type: JobDto,
      headers: { Location: { schema: { type: 'string' } } },
    }),
    AdminProblems('overloaded', 'service-stopping', ...problems),
  );
}

/** What such a handler answers. */
export function startedJob(status: JobStatus, reply: FastifyReply): DtoShape<JobDto> {
  void reply.header('location', `/admin/jobs/${status.id}`);
  return jobDto(status);
}

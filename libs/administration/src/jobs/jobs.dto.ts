import { ApiProperty, ApiPropertyOptional, Matches } from '@holdfast/platform';
import type { DtoShape } from '../dto-shape.js';
import type { JobState, JobStatus, JobUnit } from '@holdfast/operations';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const STATES: readonly JobState[] = ['queued', 'running', 'succeeded', 'failed', 'cancelled'];
const UNITS: readonly JobUnit[] = ['bytes', 'positions', 'entries', 'segments', 'steps'];

export class JobTarget {
  @ApiProperty({ type: 'string', format: 'uuid' })
  @Matches(UUID, { message: '$property must be the id of a job, such as `holdfast jobs` lists' })
  job!: string;
}

export class JobProgressDto {
  @ApiProperty({ type: 'number' })
  done!: number;

  @ApiProperty({ type: 'number', description: 'May grow; 0 while it is not known.' })
  total!: number;

  @ApiProperty({ type: 'string', enum: [...UNITS] })
  unit!: JobUnit;

  @ApiProperty({ type: 'number' })
  perSecond!: number;

  @ApiPropertyOptional({ type: 'number', description: 'Absent until it can be told.' })
  secondsLeft?: number;
}

export class JobProblemDto {
  @ApiProperty({
    type: 'string',
    description: 'A stable code; docs/operations.md says what to do.',
  })
  code!: string;

  @ApiProperty({ type: 'string' })
  message!: string;

  @ApiProperty({ type: 'object', additionalProperties: true })
  details!: object;
}

export class JobDto {
  @ApiProperty({ type: 'string', format: 'uuid' })
  id!: string;

  @ApiProperty({ type: 'string', example: 'verify-log' })
  kind!: string;

  @ApiProperty({ type: 'string', enum: [...STATES] })
  state!: JobState;

  @ApiProperty({ type: 'string', format: 'date-time' })
  createdAt!: string;

  @ApiPropertyOptional({ type: 'string', format: 'date-time' })
  startedAt?: string;

  @ApiPropertyOptional({ type: 'string', format: 'date-time' })
  endedAt?: string;

  @ApiPropertyOptional({ type: JobProgressDto })
  progress?: JobProgressDto;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description: 'The report, once it has succeeded; of a cancelled job as far as it came.',
  })
  result?: object;

  @ApiPropertyOptional({ type: JobProblemDto })
  problem?: JobProblemDto;
}

export class JobListDto {
  @ApiProperty({ type: [JobDto], description: 'Newest first.' })
  items!: readonly JobDto[];
}

/** As it is told: instants as text, and what is not known left out. */
export function jobDto(status: JobStatus): DtoShape<JobDto> {
  const { id, kind, state, createdAtMillis, startedAtMillis, endedAtMillis } = status;
  const { progress, result, problem } = status;
  return {
    ...{ id, kind, state, createdAt: instant(createdAtMillis) },
    ...(startedAtMillis !== undefined && { startedAt: instant(startedAtMillis) }),
    ...(endedAtMillis !== undefined && { endedAt: instant(endedAtMillis) }),
    ...(progress !== undefined && { progress: progressDto(progress) }),
    ...(result !== undefined && { result }),
    ...(problem !== undefined && { problem }),
  };
}

function progressDto({
  secondsLeft,
  ...told
}: NonNullable<JobStatus['progress']>): DtoShape<JobProgressDto> {
  return { ...told, ...(secondsLeft !== undefined && { secondsLeft }) };
}

function instant(millis: number): string {
  return new Date(millis).toISOString();
}

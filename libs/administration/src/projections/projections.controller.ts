import { Jobs, type OperatedProjection, ProjectionCare } from '@holdfast/operations';
import { ApiOperation, ApiResponse, ApiTags, ProblemException } from '@holdfast/platform';
import { Body, Controller, Get, HttpCode, Param, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { AdminProblems } from '../admin-problems.js';
import type { DtoShape } from '../dto-shape.js';
import { StartsJob, startedJob } from '../jobs/job-answer.js';
import type { JobDto } from '../jobs/jobs.dto.js';
import {
  DropGenerationDto,
  GenerationDto,
  GenerationTarget,
  ProjectionDto,
  ProjectionListDto,
  ProjectionTarget,
  generationDto,
  projectionDto,
} from './projections.dto.js';

@ApiTags('projections')
@Controller('admin/projections')
export class ProjectionsController {
  constructor(
    private readonly care: ProjectionCare,
    private readonly jobs: Jobs,
  ) {}

  @Get()
  @ApiOperation({ summary: 'The projections, and the tables of every version of each' })
  @ApiResponse({ status: 200, type: ProjectionListDto })
  @AdminProblems()
  async list(): Promise<DtoShape<ProjectionListDto>> {
    return { items: (await this.care.list()).map(projectionDto) };
  }

  @Post(':projection/generations/:generation/drop')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Give tables up, whoever fills them',
    description:
      'Their worker stops and begins others if they are of its version; the files are removed a minute later. Without live tables of its version a query is 503 until a worker has filled some.',
  })
  @ApiResponse({ status: 200, type: GenerationDto, description: 'The tables as they were.' })
  @AdminProblems(
    'invalid-request',
    'projection-not-found',
    'generation-not-found',
    'confirmation-missing',
    'storage-unavailable',
  )
  async drop(
    @Param() { projection: name, generation: number }: GenerationTarget,
    @Body() { confirm }: DropGenerationDto,
  ): Promise<DtoShape<GenerationDto>> {
    const projection = this.found(name);
    const generation = Number(number);
    const { generations } = await this.care.statusOf(projection);
    const before = generations.find((one) => one.generation === generation);
    const missing = { parameters: { projection: name, generation } };
    if (before === undefined) throw new ProblemException('generation-not-found', missing);
    if (confirm !== name)
      throw new ProblemException('confirmation-missing', {
        parameters: { dropped: `generation ${generation}`, name },
      });
    if (!(await this.care.drop(projection, generation)))
      throw new ProblemException('generation-not-found', missing);
    return generationDto(before);
  }

  @Post(':projection/rebuild')
  @ApiOperation({
    summary: 'Fill fresh tables beside the live ones, and switch to them',
    description:
      'In a thread of its own, from the first event. Queries and commands go on. Tables that a rebuild has left half-filled, because it was cancelled or killed, are taken up. A pause does not hold it.',
  })
  @StartsJob(
    'projection-not-found',
    'read-model-not-here',
    'rebuild-running',
    'rebuild-unsupported',
  )
  async rebuild(
    @Param() { projection: name }: ProjectionTarget,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<DtoShape<JobDto>> {
    const projection = this.found(name);
    const parameters = { projection: name };
    const { generations, fault } = await this.care.statusOf(projection);
    if (generations.length === 0 && fault === undefined)
      throw new ProblemException('read-model-not-here', { parameters });
    const { rebuild } = projection;
    if (rebuild === undefined) throw new ProblemException('rebuild-unsupported', { parameters });
    const kind = `rebuild-${name}`;
    if (this.jobs.has(kind)) throw new ProblemException('rebuild-running', { parameters });
    return startedJob(
      this.jobs.start(kind, 'at-once', this.care.rebuilding(projection, rebuild)),
      reply,
    );
  }

  @Post(':projection/pause')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Apply nothing more until it is resumed',
    description:
      'Durable, and for the workers of every version, which stop within a second. Queries go on with what is there. What the log keeps for it stays.',
  })
  @ApiResponse({ status: 200, type: ProjectionDto })
  @AdminProblems('projection-not-found', 'read-model-not-here', 'storage-unavailable')
  pause(@Param() { projection }: ProjectionTarget): Promise<DtoShape<ProjectionDto>> {
    return this.setPaused(projection, true);
  }

  @Post(':projection/resume')
  @HttpCode(200)
  @ApiOperation({ summary: 'Go on where it was paused' })
  @ApiResponse({ status: 200, type: ProjectionDto })
  @AdminProblems('projection-not-found', 'read-model-not-here', 'storage-unavailable')
  resume(@Param() { projection }: ProjectionTarget): Promise<DtoShape<ProjectionDto>> {
    return this.setPaused(projection, false);
  }

  private async setPaused(name: string, paused: boolean): Promise<DtoShape<ProjectionDto>> {
    const projection = this.found(name);
    if (!(await this.care.setPaused(projection, paused)))
      throw new ProblemException('read-model-not-here', { parameters: { projection: name } });
    return projectionDto(await this.care.statusOf(projection));
  }

  private found(name: string): OperatedProjection {
    const projection = this.care.find(name);
    if (projection === undefined)
      throw new ProblemException('projection-not-found', { parameters: { projection: name } });
    return projection;
  }
}

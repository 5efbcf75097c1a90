import type { Position } from '@holdfast/event-store';
import { type OperatedProjection, ProjectionCare } from '@holdfast/operations';
import { ApiOperation, ApiResponse, ApiTags, ProblemException } from '@holdfast/platform';
import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { AdminProblems } from '../admin-problems.js';
import type { DtoShape } from '../dto-shape.js';
import { ProjectionTarget } from './projections.dto.js';
import {
  QuarantineDto,
  QuarantinedCommitDto,
  QuarantinedTarget,
  ReleaseDto,
  SkipDto,
  quarantineDto,
  quarantinedCommitDto,
} from './quarantine.dto.js';

@ApiTags('projections')
@Controller('admin/projections/:projection/quarantine')
export class QuarantineController {
  constructor(private readonly care: ProjectionCare) {}

  @Get()
  @ApiOperation({ summary: 'What the projection could not apply, and what waits behind it' })
  @ApiResponse({ status: 200, type: QuarantineDto })
  @AdminProblems('projection-not-found', 'storage-unavailable')
  list(@Param() { projection }: ProjectionTarget): Promise<DtoShape<QuarantineDto>> {
    return this.listOf(this.found(projection));
  }

  @Post('release')
  @HttpCode(202)
  @ApiOperation({
    summary: 'Try again what was refused, in the order of the log',
    description:
      'Durable: the worker does it within a second, or the next one when none is there. What is refused again stays, with what waits behind it; `releasesPending` is 0 once it was tried.',
  })
  @ApiResponse({ status: 202, type: QuarantineDto, description: 'As it was when it was asked.' })
  @AdminProblems(
    'invalid-request',
    'projection-not-found',
    'commit-not-quarantined',
    'commit-only-waits',
    'storage-unavailable',
  )
  async release(
    @Param() { projection: name }: ProjectionTarget,
    @Body() { position }: ReleaseDto,
  ): Promise<DtoShape<QuarantineDto>> {
    const projection = this.found(name);
    const isAsked = await this.care.quarantine.release(projection, position as Position);
    if (!isAsked && position !== undefined)
      throw await this.notRefused(projection, position as Position);
    return this.listOf(projection);
  }

  @Get(':position')
  @ApiOperation({ summary: 'One commit of it, with its events' })
  @ApiResponse({ status: 200, type: QuarantinedCommitDto })
  @AdminProblems(
    'invalid-request',
    'projection-not-found',
    'commit-not-quarantined',
    'storage-unavailable',
  )
  async show(
    @Param() { projection: name, position: text }: QuarantinedTarget,
  ): Promise<DtoShape<QuarantinedCommitDto>> {
    const projection = this.found(name);
    const position = Number(text) as Position;
    const events = await this.care.quarantine.contentOf(projection, position);
    if (events === undefined) throw await this.notRefused(projection, position);
    return quarantinedCommitDto(position, await this.care.quarantine.statusOf(projection), events);
  }

  @Post(':position/skip')
  @HttpCode(202)
  @ApiOperation({
    summary: 'Leave a commit out for good',
    description:
      'The decision is kept, with the events, and holds for tables that are filled later, if the commit is refused there too. The worker passes over it within a second and tries what waits behind it.',
  })
  @ApiResponse({ status: 202, type: QuarantineDto })
  @AdminProblems(
    'invalid-request',
    'projection-not-found',
    'commit-not-quarantined',
    'commit-only-waits',
    'storage-unavailable',
  )
  async skip(
    @Param() { projection: name, position: text }: QuarantinedTarget,
    @Body() { by, reason }: SkipDto,
  ): Promise<DtoShape<QuarantineDto>> {
    const projection = this.found(name);
    const position = Number(text) as Position;
    if (!(await this.care.quarantine.skip(projection, position, { by, reason })))
      throw await this.notRefused(projection, position);
    return this.listOf(projection);
  }

  private async listOf(projection: OperatedProjection): Promise<DtoShape<QuarantineDto>> {
    return quarantineDto(projection.name, await this.care.quarantine.statusOf(projection));
  }

  private async notRefused(
    projection: OperatedProjection,
    position: Position,
  ): Promise<ProblemException> {
    const { waiting } = await this.care.quarantine.statusOf(projection);
    const behind = waiting.find((one) => one.position === position)?.behind;
    const parameters = { projection: projection.name, position };
    return behind === undefined
      ? new ProblemException('commit-not-quarantined', { parameters })
      : new ProblemException('commit-only-waits', { parameters: { ...parameters, behind } });
  }

  private found(name: string): OperatedProjection {
    const projection = this.care.find(name);
    if (projection === undefined)
      throw new ProblemException('projection-not-found', { parameters: { projection: name } });
    return projection;
  }
}

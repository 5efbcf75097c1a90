import { ApiOperation, ApiResponse, ApiTags, ProblemException } from '@holdfast/platform';
import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { AdminProblems } from '../admin-problems.js';
import type { DtoShape } from '../dto-shape.js';
import { ConsumerFloors, KEPT_FLOORS } from '@holdfast/operations';
import { DropFloorDto, FloorDto, FloorListDto, FloorTarget } from './floors.dto.js';

@ApiTags('floors')
@Controller('admin/floors')
export class FloorsController {
  constructor(private readonly floors: ConsumerFloors) {}

  @Get()
  @ApiOperation({ summary: 'What keeps the log from being removed, by name' })
  @ApiResponse({ status: 200, type: FloorListDto })
  @AdminProblems()
  list(): DtoShape<FloorListDto> {
    return { items: this.floors.list() };
  }

  @Post(':floor/drop')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Give a consumer up',
    description:
      'The log keeps nothing more for it. When it comes back and what it needs has gone, it is refused with FEED_COMPACTED and must be rebuilt from the archive or a backup.',
  })
  @ApiResponse({ status: 200, type: FloorDto, description: 'The floor as it was.' })
  @AdminProblems('invalid-request', 'floor-not-found', 'floor-kept', 'confirmation-missing')
  drop(@Param() { floor }: FloorTarget, @Body() { confirm }: DropFloorDto): DtoShape<FloorDto> {
    const before = this.floors.list().find(({ name }) => name === floor);
    if (before === undefined)
      throw new ProblemException('floor-not-found', { parameters: { floor } });
    const reason = KEPT_FLOORS[floor];
    if (reason !== undefined)
      throw new ProblemException('floor-kept', { parameters: { floor, reason } });
    if (confirm !== floor)
      throw new ProblemException('confirmation-missing', {
        parameters: { dropped: floor, name: floor },
      });
    this.floors.drop(floor);
    return before;
  }
}

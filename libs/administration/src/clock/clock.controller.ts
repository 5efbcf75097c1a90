import { type ClockStatus, timeText, WalEventLog } from '@holdfast/event-store';
import { ApiOperation, ApiResponse, ApiTags, InjectLogger, type Logger } from '@holdfast/platform';
import { Controller, Get, HttpCode, Post } from '@nestjs/common';
import { AdminProblems } from '../admin-problems.js';
import type { DtoShape } from '../dto-shape.js';
import { ClockDto } from './clock.dto.js';

@ApiTags('clock')
@Controller('admin/clock')
export class ClockController {
  constructor(
    private readonly log: WalEventLog,
    @InjectLogger() private readonly logger: Logger,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Whether the clock is believed, and what it is compared with' })
  @ApiResponse({ status: 200, type: ClockDto })
  @AdminProblems()
  status(): DtoShape<ClockDto> {
    return clockOf(this.log.clockStatus());
  }

  @Post('accept')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Accept what the clock says now',
    description:
      'Commands are taken again. Where the clock is behind the last event, the time of the log stands still until the clock has come to it.',
  })
  @ApiResponse({ status: 200, type: ClockDto, description: 'The clock as it is believed now.' })
  @AdminProblems()
  accept(): DtoShape<ClockDto> {
    const before = clockOf(this.log.clockStatus());
    const accepted = clockOf(this.log.acceptClock());
    this.logger.warn({ before, accepted }, 'an operator has accepted the clock');
    return accepted;
  }
}

function clockOf({ fault, wallMillis, expectedMillis }: ClockStatus): DtoShape<ClockDto> {
  return {
    trusted: fault === undefined,
    ...(fault !== undefined && { fault }),
    clockTime: timeText(wallMillis),
    expectedTime: timeText(expectedMillis),
  };
}

export class ClockDto {
  @ApiProperty({ type: 'boolean', description: 'Commands are taken.' })
  trusted!: boolean;

  @ApiProperty({
    enum: ['gap', 'ahead', 'behind'],
    required: false,
    description:
      'Why not: long after the last event at a start, ahead of what the monotonic clock allows, or behind the last event or, after an acceptance, what the monotonic clock allows.',
  })
  fault?: 'gap' | 'ahead' | 'behind';

  @ApiProperty({ type: 'string', example: '2026-11-23T10:00:00.000Z' })
  clockTime!: string;

  @ApiProperty({
    type: 'string',
    description: 'What the clock is compared with.',
    example: '2026-11-23T10:00:00.000Z',
  })
  expectedTime!: string;
}
import { ApiProperty } from '@holdfast/platform';

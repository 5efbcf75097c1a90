export class CheckpointDto {
  @ApiProperty({ type: 'integer', description: 'The state of every event up to here.' })
  position!: number;

  @ApiProperty({ type: 'string', format: 'date-time' })
  at!: string;

  @ApiProperty({ type: 'integer' })
  entries!: number;

  @ApiProperty({ type: 'string', description: 'The same for the same entries in any order.' })
  digest!: string;
}

export class SnapshotDto extends CheckpointDto {
  @ApiProperty({ type: 'string' })
  path!: string;

  @ApiProperty({ type: 'integer' })
  bytes!: number;
}

export class SnapshotListDto {
  @ApiProperty({
    type: [SnapshotDto],
    description: 'Those that the state can begin with, newest first; two are kept.',
  })
  items!: readonly SnapshotDto[];
}

export class StateVerificationDto {
  @ApiProperty({
    type: 'string',
    enum: ['pending', 'good', 'damaged'],
    description: '`pending` until the state has been read through once since the start.',
  })
  state!: string;

  @ApiProperty({ type: 'integer', description: 'How often it was read through.' })
  scans!: number;

  @ApiProperty({
    type: 'integer',
    description:
      'How often this, or a snapshot, was given up since the start, because checkpoints could not wait for it.',
  })
  givenUp!: number;

  @ApiPropertyOptional({ type: 'string', format: 'date-time' })
  lastScanAt?: string;
}

export class StateDto {
  @ApiPropertyOptional({ type: CheckpointDto, description: 'Absent before the first.' })
  checkpoint?: CheckpointDto;

  @ApiProperty({ type: 'integer', description: 'Since the start.' })
  checkpoints!: number;

  @ApiProperty({ type: 'integer', description: 'Since the start.' })
  failedCheckpoints!: number;

  @ApiProperty({ type: 'integer', description: 'Entries that are in memory only.' })
  overlayEntries!: number;

  @ApiProperty({ type: 'integer', description: 'Events that a start would replay just now.' })
  eventsToReplay!: number;

  @ApiProperty({ type: StateVerificationDto })
  verification!: StateVerificationDto;
}
import { ApiProperty, ApiPropertyOptional } from '@holdfast/platform';

export class RetentionLimitDto {
  @ApiProperty({ type: 'string', enum: ['policy', 'archive', 'snapshots', 'positions', 'age'] })
  reason!: string;

  @ApiProperty({ type: 'integer', description: 'Events from this position on stay.' })
  below!: number;
}

export class RemovedSegmentDto {
  @ApiProperty({ type: 'string' })
  file!: string;

  @ApiProperty({ type: 'integer' })
  segment!: number;

  @ApiProperty({ type: 'integer' })
  firstSequence!: number;

  @ApiProperty({ type: 'integer' })
  lastSequence!: number;

  @ApiProperty({ type: 'integer' })
  bytes!: number;
}

export class RemovalPinDto {
  @ApiProperty({ type: 'string', description: 'The name of a floor, or of work that runs.' })
  name!: string;

  @ApiProperty({ type: 'integer' })
  sequence!: number;

  @ApiProperty({ type: 'integer', description: 'What this one alone keeps.' })
  segments!: number;

  @ApiProperty({ type: 'integer' })
  bytes!: number;
}

export class RemovalDto {
  @ApiProperty({ type: [RemovedSegmentDto], description: 'Oldest first.' })
  segments!: readonly RemovedSegmentDto[];

  @ApiProperty({ type: 'integer' })
  bytes!: number;

  @ApiProperty({ type: 'integer', description: 'Where the live log would begin.' })
  firstSequence!: number;

  @ApiProperty({ type: [RemovalPinDto], description: 'What keeps the rest, lowest first.' })
  pinnedBy!: readonly RemovalPinDto[];

  @ApiPropertyOptional({ type: [String], description: 'Files that could not be unlinked yet.' })
  left?: readonly string[];
}

export class DamagedSnapshotDto {
  @ApiProperty({ type: 'integer' })
  position!: number;

  @ApiProperty({ type: 'string' })
  path!: string;

  @ApiProperty({ type: 'string', description: 'What is wrong with it.' })
  reason!: string;
}

export class RetentionDto {
  @ApiProperty({ type: 'string', enum: ['keep-all', 'archive', 'snapshots'] })
  policy!: string;

  @ApiProperty({ type: 'integer', description: 'The policy needs events from here on live.' })
  below!: number;

  @ApiProperty({ type: [RetentionLimitDto], description: 'The first one decides.' })
  limits!: readonly RetentionLimitDto[];

  @ApiPropertyOptional({
    type: [DamagedSnapshotDto],
    description:
      'Snapshots that do not count: made by another way of folding, of another history, or found damaged. They are read before a removal, not for a dry run.',
  })
  damagedSnapshots?: readonly DamagedSnapshotDto[];

  @ApiProperty({ type: RemovalDto })
  removal!: RemovalDto;
}
import { ApiProperty, ApiPropertyOptional } from '@holdfast/platform';

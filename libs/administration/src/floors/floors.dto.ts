import { ApiProperty, IsString, MaxLength, MinLength } from '@holdfast/platform';

const FLOOR_CHARACTERS_MAX = 128;

export class FloorTarget {
  @ApiProperty({ type: 'string', description: 'Percent-encoded.', example: 'projection:ledger' })
  @IsString()
  @MinLength(1)
  @MaxLength(FLOOR_CHARACTERS_MAX)
  floor!: string;
}

export class DropFloorDto {
  @ApiProperty({ type: 'string', description: 'The name of the floor once more.' })
  @IsString()
  @MaxLength(FLOOR_CHARACTERS_MAX)
  confirm!: string;
}

export class FloorDto {
  @ApiProperty({ type: 'string', example: 'projection:ledger' })
  name!: string;

  @ApiProperty({ type: 'integer', description: 'It has done with everything up to here.' })
  position!: number;

  @ApiProperty({ type: 'integer', description: 'Durable events that it still needs.' })
  eventsBehind!: number;

  @ApiProperty({ type: 'integer', description: 'Sealed segments that it alone would keep.' })
  bytesPinned!: number;

  @ApiProperty({ type: 'boolean', description: 'Somebody reads under this name just now.' })
  connected!: boolean;

  @ApiProperty({ type: 'boolean' })
  farBehind!: boolean;
}

export class FloorListDto {
  @ApiProperty({ type: [FloorDto], description: 'Lowest first.' })
  items!: readonly FloorDto[];
}

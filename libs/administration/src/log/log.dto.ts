import { ApiProperty, ApiPropertyOptional, IsInt, Max, MayBeAbsent, Min } from '@holdfast/platform';

const MEBIBYTE = 1024 * 1024;
export const SCRUB_BYTES_PER_SECOND_DEFAULT = 32 * MEBIBYTE;

export class ScrubDto {
  @ApiPropertyOptional({
    type: 'integer',
    minimum: MEBIBYTE,
    default: SCRUB_BYTES_PER_SECOND_DEFAULT,
    description: 'The average rate of reading.',
  })
  @MayBeAbsent()
  @IsInt()
  @Min(MEBIBYTE)
  @Max(16 * 1024 * MEBIBYTE)
  bytesPerSecond?: number;
}

export class LogDto {
  @ApiProperty({ type: 'string' })
  logId!: string;

  @ApiProperty({ type: 'integer', description: 'Raised each time the log is opened.' })
  epoch!: number;

  @ApiProperty({ type: 'string', description: 'Names the history since the log was opened.' })
  timeline!: string;

  @ApiProperty({ type: 'string', enum: ['sync', 'interval', 'none'] })
  durability!: string;

  @ApiProperty({ type: 'string', description: 'How commits are written just now.' })
  ioMode!: string;

  @ApiProperty({ type: 'integer', description: 'The lowest position that can be read.' })
  firstPosition!: number;

  @ApiProperty({ type: 'integer' })
  durablePosition!: number;

  @ApiProperty({ type: 'integer', description: 'The last position given out.' })
  lastPosition!: number;

  @ApiProperty({ type: 'integer' })
  segments!: number;

  @ApiProperty({ type: 'integer', description: 'Data, what is archived included.' })
  logBytes!: number;

  @ApiProperty({ type: 'integer', description: 'Of it, in the live log.' })
  liveBytes!: number;

  @ApiProperty({ type: 'integer', description: 'Segments that are read from the archive.' })
  archivedSegments!: number;

  @ApiProperty({ type: 'integer', description: 'What they take there, compressed.' })
  archiveBytes!: number;

  @ApiProperty({ type: 'integer', description: 'Admitted and not yet durable.' })
  queuedBytes!: number;

  @ApiProperty({ type: 'integer', description: 'Since the log was opened.' })
  commits!: number;

  @ApiProperty({ type: 'integer', description: 'Since the log was opened.' })
  events!: number;

  @ApiProperty({ type: 'integer', description: 'Since the log was opened.' })
  bytesWritten!: number;

  @ApiProperty({ type: 'integer', description: 'Since the log was opened.' })
  rotations!: number;

  @ApiProperty({ type: 'integer', description: 'The longest commit since the log was opened.' })
  commitMicrosMax!: number;
}

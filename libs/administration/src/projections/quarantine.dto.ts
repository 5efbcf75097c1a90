import type { RecordedEvent } from '@holdfast/event-store';
import type { QuarantineStatus, WaitingCommit } from '@holdfast/operations';
import {
  ApiProperty,
  ApiPropertyOptional,
  IsInt,
  IsString,
  Matches,
  MaxLength,
  MayBeAbsent,
  Min,
  MinLength,
} from '@holdfast/platform';
import type { DtoShape } from '../dto-shape.js';
import { ProjectionTarget } from './projections.dto.js';

const BY_CHARACTERS_MAX = 200;
const REASON_CHARACTERS_MAX = 2_000;

export class QuarantinedTarget extends ProjectionTarget {
  @ApiProperty({ type: 'string', pattern: '^[1-9][0-9]{0,15}$', example: '1042' })
  @Matches(/^[1-9][0-9]{0,15}$/, {
    message: '$property must be the position of a commit, such as the quarantine lists',
  })
  position!: string;
}

export class ReleaseDto {
  @ApiPropertyOptional({
    type: 'integer',
    description: 'Of the first event of one commit. Left out: everything that was refused.',
  })
  @MayBeAbsent()
  @IsInt()
  @Min(1)
  position?: number;
}

export class SkipDto {
  @ApiProperty({ type: 'string', description: 'Who decides.', example: 'alice' })
  @IsString()
  @MinLength(1)
  @MaxLength(BY_CHARACTERS_MAX)
  by!: string;

  @ApiProperty({ type: 'string', description: 'Why its rows are not wanted.' })
  @IsString()
  @MinLength(1)
  @MaxLength(REASON_CHARACTERS_MAX)
  reason!: string;
}

export class QuarantinedDto {
  @ApiProperty({ type: 'integer', description: 'Of its first event: its name.' })
  position!: number;

  @ApiProperty({ type: 'integer', description: 'How many events of it the projection handles.' })
  events!: number;

  @ApiProperty({ type: 'integer', description: 'The tables that lack it.' })
  generation!: number;

  @ApiProperty({ type: 'integer', description: 'The version of these.' })
  version!: number;

  @ApiProperty({ type: 'string', enum: ['filling', 'live'] })
  state!: string;

  @ApiPropertyOptional({
    type: 'integer',
    description: 'The commit that it waits behind. Absent when it was refused itself.',
  })
  behind?: number;

  @ApiProperty({
    type: [String],
    description: 'Its streams, and what else it touches: later commits that touch the same wait.',
  })
  keys!: readonly string[];

  @ApiProperty({ type: 'integer', description: 'How often it was refused. 0: it only waits.' })
  attempts!: number;

  @ApiPropertyOptional({ type: 'string', description: 'Of the last attempt.' })
  error?: string;

  @ApiProperty({ type: 'string', format: 'date-time' })
  since!: string;
}

export class SkippedDto {
  @ApiProperty({ type: 'integer', description: 'Of its first event.' })
  position!: number;

  @ApiProperty({ type: 'integer' })
  events!: number;

  @ApiProperty({ type: 'string' })
  by!: string;

  @ApiProperty({ type: 'string' })
  reason!: string;

  @ApiProperty({ type: 'string', format: 'date-time' })
  at!: string;

  @ApiPropertyOptional({ type: 'string', description: 'Why it was refused.' })
  error?: string;
}

export class QuarantineDto {
  @ApiProperty({ type: 'string', example: 'ledger' })
  projection!: string;

  @ApiProperty({ type: [QuarantinedDto], description: 'What waits, in the order of the log.' })
  items!: readonly QuarantinedDto[];

  @ApiProperty({ type: 'integer', description: 'Releases that no worker has tried yet.' })
  releasesPending!: number;

  @ApiProperty({ type: [SkippedDto], description: 'Commits that were left out for good.' })
  skipped!: readonly SkippedDto[];
}

export class QuarantinedCommitDto {
  @ApiProperty({ type: [QuarantinedDto], description: 'By the tables that lack it.' })
  items!: readonly QuarantinedDto[];

  @ApiPropertyOptional({ type: SkippedDto, description: 'The decision to leave it out.' })
  skipped?: SkippedDto;

  @ApiProperty({
    type: 'array',
    items: { type: 'object', additionalProperties: true },
    description: 'Its events, as they were recorded.',
  })
  events!: readonly object[];
}

export function quarantineDto(
  projection: string,
  { waiting, releasesPending, skips }: QuarantineStatus,
): DtoShape<QuarantineDto> {
  return {
    ...{ projection, releasesPending },
    items: waiting.map(waitingDto),
    skipped: skips.map(skippedDto),
  };
}

export function quarantinedCommitDto(
  position: number,
  { waiting, skips }: QuarantineStatus,
  events: readonly RecordedEvent[],
): DtoShape<QuarantinedCommitDto> {
  const skip = skips.find((one) => one.position === position);
  return {
    items: waiting.filter((one) => one.position === position).map(waitingDto),
    ...(skip && { skipped: skippedDto(skip) }),
    events,
  };
}

function waitingDto({
  sinceMillis,
  behind,
  error,
  ...told
}: WaitingCommit): DtoShape<QuarantinedDto> {
  return {
    ...told,
    since: new Date(sinceMillis).toISOString(),
    ...(behind !== undefined && { behind }),
    ...(error !== undefined && { error }),
  };
}

function skippedDto({
  position,
  events,
  by,
  reason,
  atMillis,
  error,
}: QuarantineStatus['skips'][number]): DtoShape<SkippedDto> {
  const at = new Date(atMillis).toISOString();
  return { position, events, by, reason, at, ...(error !== undefined && { error }) };
}

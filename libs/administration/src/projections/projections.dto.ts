import { ApiProperty, ApiPropertyOptional, IsString, Matches, MaxLength } from '@holdfast/platform';
import type { CaredProjection, TablesStatus } from '@holdfast/operations';
import type { DtoShape } from '../dto-shape.js';

const NAME_CHARACTERS_MAX = 63;

export class ProjectionTarget {
  @ApiProperty({ type: 'string', example: 'ledger' })
  @IsString()
  @MaxLength(NAME_CHARACTERS_MAX)
  projection!: string;
}

export class GenerationTarget extends ProjectionTarget {
  @ApiProperty({ type: 'string', pattern: '^[1-9][0-9]{0,9}$', example: '1' })
  @Matches(/^[1-9][0-9]{0,9}$/, {
    message: '$property must be the number of a generation, such as `holdfast projections` lists',
  })
  generation!: string;
}

export class DropGenerationDto {
  @ApiProperty({ type: 'string', description: 'The name of the projection once more.' })
  @IsString()
  @MaxLength(NAME_CHARACTERS_MAX)
  confirm!: string;
}

export class GenerationDto {
  @ApiProperty({ type: 'integer', description: 'Its number, which is never given again.' })
  generation!: number;

  @ApiProperty({ type: 'integer', description: 'Of the projection that fills it.' })
  version!: number;

  @ApiProperty({
    type: 'string',
    enum: ['filling', 'live'],
    description: '`live`: the queries of its version see it.',
  })
  state!: string;

  @ApiPropertyOptional({
    type: 'string',
    format: 'date-time',
    description: 'Since when it is live. Absent while it is filled, and where it is not known.',
  })
  promotedAt?: string;

  @ApiProperty({ type: 'integer', description: 'It holds every event up to here.' })
  position!: number;

  @ApiProperty({ type: 'integer', description: 'Durable events that it does not hold yet.' })
  eventsBehind!: number;

  @ApiPropertyOptional({
    type: 'string',
    description: 'The worker that keeps it up. Absent when none does.',
  })
  owner?: string;

  @ApiPropertyOptional({
    type: 'integer',
    description: 'Events that it lacks because they wait in its quarantine. Absent when none do.',
  })
  quarantinedEvents?: number;

  @ApiPropertyOptional({ type: 'string', description: 'Why queries are not answered from it.' })
  refusal?: string;
}

export class ProjectionDto {
  @ApiProperty({ type: 'string', example: 'ledger' })
  name!: string;

  @ApiProperty({ type: 'integer', description: 'That this program makes and its queries read.' })
  version!: number;

  @ApiProperty({ type: 'boolean', description: 'Workers apply nothing until it is resumed.' })
  paused!: boolean;

  @ApiProperty({ type: [GenerationDto], description: 'The tables of every version, by number.' })
  generations!: readonly GenerationDto[];

  @ApiPropertyOptional({ type: 'string', description: 'Why its tables could not be looked at.' })
  fault?: string;
}

export class ProjectionListDto {
  @ApiProperty({ type: [ProjectionDto] })
  items!: readonly ProjectionDto[];
}

/** As it is told: instants as text, and what is not known left out. */
export function projectionDto(status: CaredProjection): DtoShape<ProjectionDto> {
  const { fault, generations, ...told } = status;
  return { ...told, generations: generations.map(generationDto), ...(fault && { fault }) };
}

export function generationDto(status: TablesStatus): DtoShape<GenerationDto> {
  const { generation, version, state, promotedAtMillis, position, eventsBehind } = status;
  const { owner, refusal, quarantinedEvents } = status;
  return {
    ...{ generation, version, state, position, eventsBehind },
    ...(promotedAtMillis !== undefined && {
      promotedAt: new Date(promotedAtMillis).toISOString(),
    }),
    ...(owner !== undefined && { owner }),
    ...(refusal !== undefined && { refusal }),
    ...(quarantinedEvents > 0 && { quarantinedEvents }),
  };
}

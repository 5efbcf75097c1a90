import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';

/** A problem for OpenAPI (RFC 9457). Parameters of the problem stand beside these members. */
@ApiSchema({ name: 'Problem' })
export class ProblemDto {
  @ApiProperty({
    type: 'string',
    description: 'Stable; what a program switches on.',
    example: '/problems/insufficient-funds',
  })
  type!: string;

  @ApiProperty({ type: 'string', description: 'Short, the same for every occurrence.' })
  title!: string;

  @ApiProperty({ type: 'integer', minimum: 400, maximum: 599 })
  status!: number;

  @ApiPropertyOptional({
    type: 'string',
    description: 'A sentence for people about this occurrence.',
  })
  detail?: string;

  @ApiPropertyOptional({ type: 'string' })
  instance?: string;

  @ApiPropertyOptional({
    type: 'string',
    enum: ['not-applied', 'unknown'],
    description: 'With 5xx: whether the request may still have taken effect.',
  })
  outcome?: string;
}

import { ApiProperty, ApiPropertyOptional } from '@holdfast/platform';
import { spelledKeyRule } from '@holdfast/commands';
import { Obeys, fieldSchemas } from '../../shared/ledger-fields.js';
import { LedgerTarget } from '../../shared/targets.dto.js';

export class CommandTarget extends LedgerTarget {
  @ApiProperty({
    type: 'string',
    pattern: spelledKeyRule.pattern.source,
    example: 'deposit-1',
    description: 'The idempotency key as in the header Idempotency-Key, percent-encoded.',
  })
  @Obeys(spelledKeyRule)
  key!: string;
}

export class CommandAnswerHeadersDto {
  @ApiProperty({ type: 'string' })
  'Holdfast-Position'!: string;

  @ApiPropertyOptional({ type: 'string' })
  Location?: string;

  @ApiPropertyOptional({ type: 'string' })
  ETag?: string;

  @ApiPropertyOptional({ type: 'string' })
  'Content-Type'?: string;
}

/** The answer that the command was given, and would be given again. */
export class CommandAnswerDto {
  @ApiProperty({ type: 'integer' })
  status!: number;

  @ApiProperty({ type: CommandAnswerHeadersDto })
  headers!: Readonly<Record<string, string>>;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: 'The resource, or the problem.',
  })
  body!: object;
}

export class CommandDto {
  @ApiProperty({ type: 'string', description: 'The idempotency key.' })
  key!: string;

  @ApiProperty({ type: 'string', enum: ['accepted', 'rejected'] })
  outcome!: 'accepted' | 'rejected';

  @ApiProperty(fieldSchemas.instant)
  recordedAt!: string;

  @ApiProperty({ type: CommandAnswerDto })
  answer!: CommandAnswerDto;
}

import { spelledKeyRule } from '@holdfast/commands';
import {
  ApiExtraModels,
  ApiProperty,
  ApiPropertyOptional,
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsIn,
  IsObject,
  MayBeAbsent,
  getSchemaPath,
} from '@holdfast/platform';
import { Obeys } from '../../shared/ledger-fields.js';
import { WriteQuery } from '../http/write-query.dto.js';
import { OpenAccountDto } from '../open-account/open-account.dto.js';
import { PostTransferDto } from '../post-transfer/post-transfer.dto.js';

export const BULK_COMMANDS_MAX = 1_000;

/** The commands that a bulk may hold, by the body that each has when it is sent alone. */
export const BULK_BODIES = { OpenAccount: OpenAccountDto, PostTransfer: PostTransferDto } as const;

export type BulkCommandType = keyof typeof BULK_BODIES;

const BULK_COMMAND_TYPES = Object.keys(BULK_BODIES);

export class BulkQuery extends WriteQuery {
  @ApiPropertyOptional({
    type: 'boolean',
    default: false,
    description: 'Whether all commands must succeed or none does. Only `false` is available yet.',
  })
  @MayBeAbsent()
  @IsIn(['true', 'false'])
  atomic?: 'true' | 'false';
}

@ApiExtraModels(OpenAccountDto, PostTransferDto)
export class BulkItemDto {
  @ApiProperty({ type: 'string', enum: BULK_COMMAND_TYPES })
  @IsIn(BULK_COMMAND_TYPES)
  type!: BulkCommandType;

  @ApiPropertyOptional({
    type: 'string',
    pattern: spelledKeyRule.pattern.source,
    example: 'open-carol',
    description:
      'As the header Idempotency-Key of the command alone; new within the bulk. Required unless this is a dry run, which ignores it.',
  })
  @MayBeAbsent()
  @Obeys(spelledKeyRule)
  idempotencyKey?: string;

  @ApiProperty({
    oneOf: Object.values(BULK_BODIES).map((dto) => ({ $ref: getSchemaPath(dto) })),
    description: 'As the body of the command alone.',
  })
  @IsObject()
  body!: object;
}

/** After those of the commands alone. */
export const BULK_EXAMPLES = {
  'open and pay': {
    value: {
      commands: [
        {
          type: 'OpenAccount',
          idempotencyKey: 'open-carol',
          body: { id: 'carol', asset: 'EUR', normalSide: 'credit' },
        },
        {
          type: 'PostTransfer',
          idempotencyKey: 'payment-2',
          body: {
            legs: [
              { accountId: 'alice', side: 'debit', amount: '100' },
              { accountId: 'carol', side: 'credit', amount: '100' },
            ],
          },
        },
      ],
    },
  },
};

/** Items are checked one by one when their turn comes, so that a malformed one does not stop the others. */
export class BulkDto {
  @ApiProperty({ type: [BulkItemDto], minItems: 1, maxItems: BULK_COMMANDS_MAX })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(BULK_COMMANDS_MAX)
  commands!: unknown[];
}

export class BulkItemHeadersDto {
  @ApiPropertyOptional({ type: 'string' })
  'Holdfast-Position'?: string;

  @ApiPropertyOptional({ type: 'string' })
  'Idempotency-Replayed'?: string;

  @ApiPropertyOptional({ type: 'string' })
  Location?: string;

  @ApiPropertyOptional({ type: 'string' })
  ETag?: string;

  @ApiPropertyOptional({ type: 'string' })
  'Content-Type'?: string;

  @ApiPropertyOptional({ type: 'string' })
  'Retry-After'?: string;
}

/** What the command would have been answered alone. */
export class BulkItemAnswerDto {
  @ApiProperty({ type: 'integer' })
  status!: number;

  @ApiProperty({ type: BulkItemHeadersDto })
  headers!: Readonly<Record<string, string>>;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: 'The resource, or the problem.',
  })
  body!: object;
}

export class BulkAnswerDto {
  @ApiProperty({ type: [BulkItemAnswerDto], description: 'One for each command, in their order.' })
  results!: readonly BulkItemAnswerDto[];
}

import {
  LEGS_MAX,
  LEGS_MIN,
  type Metadata,
  type PostTransfer,
  type PostTransferLeg,
  type Side,
} from '@holdfast/ledger';
import { ApiProperty, ApiPropertyOptional, IsNestedList, MayBeAbsent } from '@holdfast/platform';
import { Obeys, fieldRules, fieldSchemas } from '../../shared/ledger-fields.js';

export class PostTransferLegDto implements PostTransferLeg {
  @ApiProperty(fieldSchemas.accountId)
  @Obeys(fieldRules.accountId)
  accountId!: string;

  @ApiProperty(fieldSchemas.side)
  @Obeys(fieldRules.side)
  side!: Side;

  @ApiProperty(fieldSchemas.amount)
  @Obeys(fieldRules.amount)
  amount!: string;

  @ApiPropertyOptional({
    ...fieldSchemas.version,
    description: "The balance's version that was seen: refuses to post when it has changed since.",
  })
  @MayBeAbsent()
  @Obeys(fieldRules.version)
  expectedVersion?: number;
}

export class PostTransferDto {
  @ApiProperty({
    type: [PostTransferLegDto],
    minItems: LEGS_MIN,
    maxItems: LEGS_MAX,
    description: 'Debits and credits, equal for each asset.',
    example: [
      { accountId: 'cash', side: 'debit', amount: '1250' },
      { accountId: 'alice', side: 'credit', amount: '1250' },
    ],
  })
  @IsNestedList(() => PostTransferLegDto, { min: LEGS_MIN, max: LEGS_MAX })
  legs!: PostTransferLegDto[];

  @ApiPropertyOptional({ ...fieldSchemas.reference, description: 'Unique in the ledger.' })
  @MayBeAbsent()
  @Obeys(fieldRules.reference)
  reference?: string;

  @ApiPropertyOptional({
    ...fieldSchemas.instant,
    description: 'When it took effect, if earlier than now; never in the future.',
  })
  @MayBeAbsent()
  @Obeys(fieldRules.instant)
  effectiveAt?: string;

  @ApiPropertyOptional(fieldSchemas.metadata)
  @MayBeAbsent()
  @Obeys(fieldRules.metadata)
  metadata?: Metadata;
}

export function postTransferCommand(ledger: string, body: PostTransferDto): PostTransfer {
  const { legs, reference, effectiveAt, metadata } = body;
  return { type: 'PostTransfer', ledger, legs, reference, effectiveAt, metadata };
}

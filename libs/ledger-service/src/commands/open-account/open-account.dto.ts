import type { Metadata, OpenAccount, Side } from '@holdfast/ledger';
import { ApiProperty, ApiPropertyOptional, MayBeAbsent, MayBeNull } from '@holdfast/platform';
import { Obeys, fieldRules, fieldSchemas } from '../../shared/ledger-fields.js';

export class OpenAccountDto {
  @ApiPropertyOptional({ ...fieldSchemas.accountId, description: 'A UUID is made when left out.' })
  @MayBeAbsent()
  @Obeys(fieldRules.accountId)
  id?: string;

  @ApiProperty(fieldSchemas.asset)
  @Obeys(fieldRules.asset)
  asset!: string;

  @ApiProperty({ ...fieldSchemas.side, description: 'The side that raises the account.' })
  @Obeys(fieldRules.side)
  normalSide!: Side;

  @ApiPropertyOptional({
    ...fieldSchemas.limit,
    nullable: true,
    default: '0',
    description:
      'The lowest available balance that a posting may leave; negative allows an overdraft, null has no floor.',
  })
  @MayBeAbsent()
  @MayBeNull()
  @Obeys(fieldRules.limit)
  floor?: string | null;

  @ApiPropertyOptional({
    ...fieldSchemas.limit,
    nullable: true,
    description: 'The highest balance that a posting may leave; none when null or left out.',
  })
  @MayBeAbsent()
  @MayBeNull()
  @Obeys(fieldRules.limit)
  ceiling?: string | null;

  @ApiPropertyOptional(fieldSchemas.metadata)
  @MayBeAbsent()
  @Obeys(fieldRules.metadata)
  metadata?: Metadata;
}

export function openAccountCommand(ledger: string, body: OpenAccountDto): OpenAccount {
  const { id, asset, normalSide, floor, ceiling, metadata } = body;
  return {
    type: 'OpenAccount',
    ledger,
    accountId: id,
    asset,
    normalSide,
    floor,
    ceiling,
    metadata,
  };
}

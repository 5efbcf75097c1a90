import { ApiProperty } from '@holdfast/platform';
import { fieldSchemas } from '../../shared/ledger-fields.js';
import { totalSchema } from '../http/total-schema.js';
import type { BalanceResource } from './balance.js';

export class CountersDto {
  @ApiProperty(totalSchema)
  debits!: string;

  @ApiProperty(totalSchema)
  credits!: string;
}

export class BalanceDto implements BalanceResource {
  @ApiProperty(fieldSchemas.ledger)
  ledger!: string;

  @ApiProperty(fieldSchemas.accountId)
  accountId!: string;

  @ApiProperty(fieldSchemas.asset)
  asset!: string;

  @ApiProperty({ ...fieldSchemas.side, description: 'The side that raises the account.' })
  normalSide!: 'debit' | 'credit';

  @ApiProperty({ ...totalSchema, description: 'What is posted; positive on the normal side.' })
  balance!: string;

  @ApiProperty({
    ...totalSchema,
    description: 'The balance less what is pending on the side that lowers it.',
  })
  available!: string;

  @ApiProperty({ type: CountersDto, description: 'All that was ever posted on either side.' })
  posted!: CountersDto;

  @ApiProperty({ type: CountersDto, description: 'What is held on either side.' })
  pending!: CountersDto;

  @ApiProperty({
    ...fieldSchemas.version,
    description:
      "Counts the account's entries; the ETag, and what a leg's `expectedVersion` compares.",
  })
  entryVersion!: number;

  @ApiProperty({ ...fieldSchemas.instant, description: 'When the last entry was recorded.' })
  changedAt!: string;
}

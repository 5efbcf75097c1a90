import { ApiProperty } from '@holdfast/platform';
import { fieldSchemas } from '../../shared/ledger-fields.js';
import { PageOf } from '../http/pages.dto.js';
import { totalSchema } from '../http/total-schema.js';
import type { Statement, StatementLine } from './statement.js';

export class StatementLineDto implements StatementLine {
  @ApiProperty({ ...fieldSchemas.version, description: "Numbers the account's entries: 1, 2, 3 …" })
  entryVersion!: number;

  @ApiProperty({
    type: 'integer',
    minimum: 0,
    description: 'Numbers the lines of an entry: several legs of a transfer may name the account.',
  })
  line!: number;

  @ApiProperty(fieldSchemas.uuid)
  transferId!: string;

  @ApiProperty({ ...fieldSchemas.reference, nullable: true })
  reference!: string | null;

  @ApiProperty(fieldSchemas.side)
  side!: 'debit' | 'credit';

  @ApiProperty(fieldSchemas.amount)
  amount!: string;

  @ApiProperty({
    ...totalSchema,
    description: 'The posted balance after this line, in minor units; positive on the normal side.',
  })
  balance!: string;

  @ApiProperty(fieldSchemas.instant)
  effectiveAt!: string;

  @ApiProperty(fieldSchemas.instant)
  recordedAt!: string;
}

export class StatementDto extends PageOf(StatementLineDto) implements Statement {
  @ApiProperty(fieldSchemas.ledger)
  ledger!: string;

  @ApiProperty(fieldSchemas.accountId)
  accountId!: string;

  @ApiProperty(fieldSchemas.asset)
  asset!: string;

  @ApiProperty({ ...fieldSchemas.side, description: 'The side that raises the account.' })
  normalSide!: 'debit' | 'credit';
}

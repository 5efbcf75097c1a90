import { ApiProperty } from '@holdfast/platform';
import { fieldSchemas } from '../../shared/ledger-fields.js';
import { totalSchema } from '../http/total-schema.js';
import type { AssetTotals, TrialBalance } from './trial-balance.js';

export class AssetTotalsDto implements AssetTotals {
  @ApiProperty(fieldSchemas.asset)
  asset!: string;

  @ApiProperty(fieldSchemas.scale)
  scale!: number;

  @ApiProperty({ ...totalSchema, description: 'All debits, in minor units.' })
  debits!: string;

  @ApiProperty({ ...totalSchema, description: 'All credits, in minor units.' })
  credits!: string;

  @ApiProperty({ type: 'boolean', description: 'Whether debits and credits are equal.' })
  balanced!: boolean;
}

export class TrialBalanceDto implements TrialBalance {
  @ApiProperty(fieldSchemas.ledger)
  ledger!: string;

  @ApiProperty({ type: [AssetTotalsDto], description: 'In the order of their codes.' })
  items!: AssetTotalsDto[];
}

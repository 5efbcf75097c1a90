import { ApiProperty } from '@holdfast/platform';
import { Obeys, fieldRules, fieldSchemas } from './ledger-fields.js';

/* What the path of a request names. */

export class LedgerTarget {
  @ApiProperty(fieldSchemas.ledger)
  @Obeys(fieldRules.ledger)
  ledger!: string;
}

export class AssetTarget extends LedgerTarget {
  @ApiProperty(fieldSchemas.asset)
  @Obeys(fieldRules.asset)
  asset!: string;
}

export class AccountTarget extends LedgerTarget {
  @ApiProperty(fieldSchemas.accountId)
  @Obeys(fieldRules.accountId)
  account!: string;
}

export class TransferTarget extends LedgerTarget {
  @ApiProperty(fieldSchemas.uuid)
  @Obeys(fieldRules.uuid)
  transfer!: string;
}

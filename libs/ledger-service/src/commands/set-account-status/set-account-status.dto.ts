import { ApiProperty } from '@holdfast/platform';
import type { AccountStatus } from '@holdfast/ledger';
import { Obeys, fieldRules, fieldSchemas } from '../../shared/ledger-fields.js';

export class SetAccountStatusDto {
  @ApiProperty(fieldSchemas.accountStatus)
  @Obeys(fieldRules.accountStatus)
  status!: AccountStatus;
}

import { ApiProperty } from '@holdfast/platform';
import { Obeys, fieldRules, fieldSchemas } from '../../shared/ledger-fields.js';

export class RegisterAssetDto {
  @ApiProperty(fieldSchemas.scale)
  @Obeys(fieldRules.scale)
  scale!: number;
}

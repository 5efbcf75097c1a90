import { ApiProperty } from '@holdfast/platform';
import type { MetadataPatch } from '@holdfast/ledger';
import { Obeys, fieldRules, fieldSchemas } from '../../shared/ledger-fields.js';

export class ChangeTransferMetadataDto {
  @ApiProperty(fieldSchemas.metadataPatch)
  @Obeys(fieldRules.metadataPatch)
  metadata!: MetadataPatch;
}

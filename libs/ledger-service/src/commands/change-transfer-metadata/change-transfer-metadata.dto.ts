import type { MetadataPatch } from '@holdfast/ledger';
import { ApiProperty } from '@nestjs/swagger';
import { Obeys, fieldRules, fieldSchemas } from '../../shared/ledger-fields.js';

export class ChangeTransferMetadataDto {
  @ApiProperty(fieldSchemas.metadataPatch)
  @Obeys(fieldRules.metadataPatch)
  metadata!: MetadataPatch;
}

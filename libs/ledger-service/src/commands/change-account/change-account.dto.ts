import type { MetadataPatch } from '@holdfast/ledger';
import { ApiPropertyOptional, MayBeAbsent, MayBeNull } from '@holdfast/platform';
import { Obeys, fieldRules, fieldSchemas } from '../../shared/ledger-fields.js';

/** What is left out stays; at least one member is given. */
export class ChangeAccountDto {
  @ApiPropertyOptional({ ...fieldSchemas.limit, nullable: true })
  @MayBeAbsent()
  @MayBeNull()
  @Obeys(fieldRules.limit)
  floor?: string | null;

  @ApiPropertyOptional({ ...fieldSchemas.limit, nullable: true })
  @MayBeAbsent()
  @MayBeNull()
  @Obeys(fieldRules.limit)
  ceiling?: string | null;

  @ApiPropertyOptional(fieldSchemas.metadataPatch)
  @MayBeAbsent()
  @Obeys(fieldRules.metadataPatch)
  metadata?: MetadataPatch;
}

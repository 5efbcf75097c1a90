import { ApiPropertyOptional, MayBeAbsent, ProblemException } from '@holdfast/platform';
import { instantMillis, metadataKeyRule, metadataValueRule } from '@holdfast/ledger';
import { Obeys, fieldRules, fieldSchemas } from '../../shared/ledger-fields.js';
import { FreshPageQuery } from '../http/fresh-query.dto.js';
import type { TransferFilter } from './transfer-filter.js';

export class ListTransfersQuery extends FreshPageQuery {
  @ApiPropertyOptional({ ...fieldSchemas.accountId, description: 'With a leg of this account.' })
  @MayBeAbsent()
  @Obeys(fieldRules.accountId)
  account?: string;

  @ApiPropertyOptional({ ...fieldSchemas.reference, description: 'With this reference.' })
  @MayBeAbsent()
  @Obeys(fieldRules.reference)
  reference?: string;

  @ApiPropertyOptional({
    type: 'string',
    description: 'With this key in its metadata, and `metadataValue` as its value.',
    example: 'order',
  })
  @MayBeAbsent()
  @Obeys(metadataKeyRule)
  metadataKey?: string;

  @ApiPropertyOptional({
    type: 'string',
    description: 'The value of `metadataKey`; both or neither.',
    example: '4711',
  })
  @MayBeAbsent()
  @Obeys(metadataValueRule)
  metadataValue?: string;

  @ApiPropertyOptional({ ...fieldSchemas.instant, description: 'Effective at or after this time.' })
  @MayBeAbsent()
  @Obeys(fieldRules.instant)
  effectiveFrom?: string;

  @ApiPropertyOptional({
    ...fieldSchemas.instant,
    description: 'Effective before this time.',
    example: '2024-02-01T00:00:00.000Z',
  })
  @MayBeAbsent()
  @Obeys(fieldRules.instant)
  effectiveBefore?: string;

  /** Throws `ProblemException` `invalid-request` for half a metadata condition. */
  filter(): TransferFilter {
    return {
      account: this.account,
      reference: this.reference,
      metadata: this.metadataCondition(),
      effectiveFromMillis: millisOf(this.effectiveFrom),
      effectiveBeforeMillis: millisOf(this.effectiveBefore),
    };
  }

  private metadataCondition(): TransferFilter['metadata'] {
    const { metadataKey: key, metadataValue: value } = this;
    if (key !== undefined && value !== undefined) return { key, value };
    if (key === value) return undefined;
    const [given, lacking] =
      key === undefined ? ['metadataValue', 'metadataKey'] : ['metadataKey', 'metadataValue'];
    throw new ProblemException('invalid-request', {
      parameters: {
        errors: [
          { in: 'query', pointer: `/${lacking}`, detail: `${lacking} is needed with ${given}` },
        ],
      },
    });
  }
}

function millisOf(instant: string | undefined): number | undefined {
  return instant === undefined ? undefined : instantMillis(instant);
}

import { IsString, MaxLength } from '../validation/class-validator.js';
import { IsIntegerText } from '../validation/constraints.js';
import { MayBeAbsent } from '../validation/presence.js';
import { ApiPropertyOptional } from '../openapi/api-description.js';

export const PAGE_LIMIT_DEFAULT = 50;
export const PAGE_LIMIT_MAX = 1_000;

/** The part of a query that pages through a list. Extend it with the list's own filters. */
export class PageQuery {
  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: PAGE_LIMIT_MAX,
    default: PAGE_LIMIT_DEFAULT,
    description: 'How many entries to answer with at most; fewer when they are large.',
  })
  @MayBeAbsent()
  @IsIntegerText(1, PAGE_LIMIT_MAX)
  limit?: string;

  @ApiPropertyOptional({ type: 'string', description: 'The `nextCursor` of the page before.' })
  @MayBeAbsent()
  @IsString()
  @MaxLength(2048)
  cursor?: string;

  /** `limit` as a number. */
  pageSize(): number {
    return this.limit === undefined ? PAGE_LIMIT_DEFAULT : Number(this.limit);
  }
}

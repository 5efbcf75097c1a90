import {
  ApiPropertyOptional,
  IsIn,
  IsString,
  MaxLength,
  MayBeAbsent,
  PageQuery,
} from '@holdfast/platform';

const MIN_POSITION_SCHEMA = {
  type: 'string',
  description:
    'The `Holdfast-Position` of an earlier answer: this answer will reflect at least that moment, or be 503 ' +
    '`projection-lagging`. `Prefer: wait=N` sets how many seconds to wait for it.',
} as const;
const POSITION_CHARACTERS_MAX = 64;

/** What every query takes. */
export class FreshQuery {
  @ApiPropertyOptional(MIN_POSITION_SCHEMA)
  @MayBeAbsent()
  @IsString()
  @MaxLength(POSITION_CHARACTERS_MAX)
  minPosition?: string;
}

export const DIRECTIONS = ['forward', 'backward'] as const;
export type Direction = (typeof DIRECTIONS)[number];

/** What every query for a list takes. */
export class FreshPageQuery extends PageQuery {
  @ApiPropertyOptional({
    enum: DIRECTIONS,
    default: 'forward',
    description:
      "`backward` lists from the end. A cursor continues in its own page's direction only.",
  })
  @MayBeAbsent()
  @IsIn(DIRECTIONS)
  direction?: Direction;

  @ApiPropertyOptional(MIN_POSITION_SCHEMA)
  @MayBeAbsent()
  @IsString()
  @MaxLength(POSITION_CHARACTERS_MAX)
  minPosition?: string;
}

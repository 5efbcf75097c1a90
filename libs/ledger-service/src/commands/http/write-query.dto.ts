import { ApiPropertyOptional, IsIn, MayBeAbsent } from '@holdfast/platform';

/** The query of any write. */
export class WriteQuery {
  @ApiPropertyOptional({
    type: 'boolean',
    default: false,
    description:
      'Decide and answer, but record nothing: 200 with the body that the command would be answered with, or its refusal. Needs no key.',
  })
  @MayBeAbsent()
  @IsIn(['true', 'false'])
  dryRun?: 'true' | 'false';

  isDryRun(): boolean {
    return this.dryRun === 'true';
  }
}

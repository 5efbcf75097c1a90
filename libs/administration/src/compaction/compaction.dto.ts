import { ApiPropertyOptional, IsBoolean, MayBeAbsent } from '@holdfast/platform';

export class CompactionDto {
  @ApiPropertyOptional({
    type: 'boolean',
    default: false,
    description: 'Count what could go, and change nothing.',
  })
  @MayBeAbsent()
  @IsBoolean()
  dryRun?: boolean;
}

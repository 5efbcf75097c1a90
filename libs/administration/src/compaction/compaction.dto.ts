import { ApiPropertyOptional, MayBeAbsent } from '@holdfast/platform';
import { IsBoolean } from 'class-validator';

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

import {
  ApiProperty,
  ApiPropertyOptional,
  IsBoolean,
  Matches,
  MaxLength,
  MayBeAbsent,
} from '@holdfast/platform';

export class BackupDto {
  @ApiProperty({
    type: 'string',
    description:
      'An absolute path on the machine of the service: a new directory, or one that holds an earlier backup of this log.',
    example: '/mnt/backups/ledger',
  })
  @MaxLength(4_096)
  @Matches(/^\/[^\0]*$/)
  directory!: string;

  @ApiPropertyOptional({
    type: 'boolean',
    description:
      'The backup that is there may go although it holds what this log does not, as after a restore to an earlier position.',
    default: false,
  })
  @MayBeAbsent()
  @IsBoolean()
  replace?: boolean;
}

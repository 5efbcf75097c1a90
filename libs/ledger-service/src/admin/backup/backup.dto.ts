import { ApiProperty } from '@nestjs/swagger';
import { Matches, MaxLength } from 'class-validator';

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
}

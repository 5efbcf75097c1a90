import { WalEventLog } from '@holdfast/event-store';
import { ApiOperation, ApiTags, ProblemException } from '@holdfast/platform';
import { Body, Controller, Inject, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { StartsJob, startedJob } from '../jobs/job-answer.js';
import type { JobDto } from '../jobs/jobs.dto.js';
import { Jobs, type DataDirectories, pathsOf, BackupPlace, backUp } from '@holdfast/operations';
import { DATA_DIRECTORIES } from '../admin-tokens.js';
import type { DtoShape } from '../dto-shape.js';
import { BackupDto } from './backup.dto.js';

@ApiTags('backup')
@Controller('admin/backups')
export class BackupController {
  constructor(
    private readonly log: WalEventLog,
    private readonly jobs: Jobs,
    private readonly place: BackupPlace,
    @Inject(DATA_DIRECTORIES) private readonly directories: DataDirectories,
  ) {}

  @Post()
  @ApiOperation({
    summary: 'Bring a backup of the log up to date, while commands go on',
    description:
      'What an earlier backup in the directory has copied is not copied again. A restore is made offline: `holdfast restore`.',
  })
  @StartsJob('invalid-request', 'backup-place-refused')
  backUp(
    @Body() { directory, replace = false }: BackupDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): DtoShape<JobDto> {
    if (!this.place.allows(directory))
      throw new ProblemException('backup-place-refused', { parameters: { directory } });
    const live = pathsOf(this.directories);
    const job = this.jobs.start('backup', 'changes', (context) =>
      backUp(this.log, directory, { apartFrom: live, replace }, context),
    );
    return startedJob(job, reply);
  }
}

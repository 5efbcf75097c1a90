import { ApiOperation, ApiResponse, ApiTags, ProblemException } from '@holdfast/platform';
import { statSync } from 'node:fs';
import { type SnapshotEntry, type StateStatus, WalEventLog } from '@holdfast/event-store';
import { Controller, Get, Inject, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { AdminProblems } from '../admin-problems.js';
import { StartsJob, startedJob } from '../jobs/job-answer.js';
import {
  type WorkContext,
  Jobs,
  type OperatedService,
  type DataDirectories,
  verifyDerivedState,
} from '@holdfast/operations';
import type { JobDto } from '../jobs/jobs.dto.js';
import type { DtoShape } from '../dto-shape.js';
import { DATA_DIRECTORIES, OPERATED_SERVICE } from '../admin-tokens.js';
import { type CheckpointDto, type SnapshotDto, SnapshotListDto, StateDto } from './state.dto.js';

@ApiTags('state')
@Controller('admin')
export class StateController {
  constructor(
    private readonly log: WalEventLog,
    private readonly jobs: Jobs,
    @Inject(DATA_DIRECTORIES) private readonly directories: DataDirectories,
    @Inject(OPERATED_SERVICE) private readonly service: OperatedService,
  ) {}

  @Get('state')
  @ApiOperation({ summary: 'The last checkpoint of the state, and how well it is known to be' })
  @ApiResponse({ status: 200, type: StateDto })
  @AdminProblems('state-not-kept')
  state(): DtoShape<StateDto> {
    const { log } = this;
    const status = this.status();
    const { checkpoint, checkpoints, failedCheckpoints, overlayEntries, verification } = status;
    return {
      ...(checkpoint && { checkpoint: checkpointDto(checkpoint) }),
      ...{ checkpoints, failedCheckpoints, overlayEntries },
      eventsToReplay: log.lastPosition - (checkpoint?.position ?? 0),
      verification: verificationDto(verification),
    };
  }

  @Post('checkpoints')
  @ApiOperation({
    summary: 'Make the state durable as it is now',
    description:
      'Takes as long as what has changed since the last one. It cannot be cancelled: one that is under way ends by itself.',
  })
  @StartsJob('state-not-kept')
  checkpoint(@Res({ passthrough: true }) reply: FastifyReply): DtoShape<JobDto> {
    this.status();
    const work = () => this.log.checkpoint();
    return startedJob(this.jobs.start('checkpoint', 'at-once', work), reply);
  }

  @Post('state/verify')
  @ApiOperation({
    summary: 'Replay the log, and compare the checkpointed state and the read model with it',
    description:
      'Reads the whole log, and needs as much temporary room as state and read model take.',
  })
  @StartsJob()
  verify(@Res({ passthrough: true }) reply: FastifyReply): DtoShape<JobDto> {
    const { log, service } = this;
    const { stateDirectory, snapshotDirectory, readModelDirectory } = this.directories;
    const directories = { stateDirectory, snapshotDirectory, readModelDirectory };
    // One by one: of a configuration they are no members of its own, and a spread leaves them out.
    const options = { records: log.wal, events: log, service, ...directories };
    const work = (context: WorkContext) => verifyDerivedState(options, context);
    return startedJob(this.jobs.start('verify-state', 'checks', work), reply);
  }

  @Get('snapshots')
  @ApiOperation({ summary: 'The snapshots of the whole state' })
  @ApiResponse({ status: 200, type: SnapshotListDto })
  @AdminProblems()
  snapshots(): DtoShape<SnapshotListDto> {
    return { items: this.log.snapshots().map(snapshotDto) };
  }

  @Post('snapshots')
  @ApiOperation({
    summary: 'Write the whole state to one file, and read it back',
    description:
      'Progress counts each entry twice: when it is written and when it is read back. Cancelled, it leaves no file; a snapshot that the schedule makes at the same time goes on.',
  })
  @StartsJob('state-not-kept')
  snapshot(@Res({ passthrough: true }) reply: FastifyReply): DtoShape<JobDto> {
    this.status();
    const work = ({ signal, progress }: WorkContext) =>
      this.log.snapshot({
        signal,
        onProgress: ({ done, total }) => progress(done, total, 'entries'),
      });
    return startedJob(this.jobs.start('snapshot', 'changes', work), reply);
  }

  /** Throws `state-not-kept`. */
  private status(): StateStatus {
    const status = this.log.stateStatus();
    if (status === undefined) throw new ProblemException('state-not-kept');
    return status;
  }
}

function checkpointDto({
  position,
  atMillis,
  entries,
  digest,
}: NonNullable<StateStatus['checkpoint']>): DtoShape<CheckpointDto> {
  return { position, at: new Date(atMillis).toISOString(), entries, digest };
}

function snapshotDto({ position, path, bytes, mark }: SnapshotEntry): DtoShape<SnapshotDto> {
  const { entries, digest } = mark;
  // The mark is of the checkpoint that it was copied from, which is older.
  const atMillis = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? mark.atMillis;
  return { position, at: new Date(atMillis).toISOString(), entries, digest, path, bytes };
}

function verificationDto({
  state,
  scans,
  givenUp,
  lastFullScanAtMillis,
}: StateStatus['verification']): DtoShape<StateDto['verification']> {
  return {
    ...{ state, scans, givenUp },
    ...(lastFullScanAtMillis !== undefined && {
      lastScanAt: new Date(lastFullScanAtMillis).toISOString(),
    }),
  };
}

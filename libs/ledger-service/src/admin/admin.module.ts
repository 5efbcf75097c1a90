import { type DynamicModule, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { LedgerWriter } from '../write-side/ledger-writer.js';
import { ArchiveController } from './archive/archive.controller.js';
import { BackupController } from './backup/backup.controller.js';
import { BackupPlace } from './backup/backup-place.js';
import { ClockController } from './clock/clock.controller.js';
import { CompactionController } from './compaction/compaction.controller.js';
import { ConsumerFloors } from './floors/consumer-floors.js';
import { FloorsController } from './floors/floors.controller.js';
import { Jobs } from './jobs/jobs.js';
import { JobsController } from './jobs/jobs.controller.js';
import { LogController } from './log/log.controller.js';
import { LogRetention } from './retention/log-retention.js';
import { RetentionController } from './retention/retention.controller.js';
import { DATA_DIRECTORIES, type DataDirectories } from './state/data-directories.js';
import { StateController } from './state/state.controller.js';
import { LogKeeping } from './log-keeping.js';

export interface AdminOptions {
  readonly writer: LedgerWriter;
  /** The module stops it when the application is closed. */
  readonly keeping: LogKeeping;
  readonly directories: DataDirectories;
  /** Below it backups may be made; anywhere when left out or empty. */
  readonly backupDirectory?: string;
}

/** The operator's API over HTTP. It is served on a port of its own: see `startAdmin`. */
@Module({})
export class AdminModule implements OnApplicationShutdown {
  constructor(@Inject(LogKeeping) private readonly keeping: LogKeeping) {}

  static forRoot({ writer, keeping, directories, backupDirectory }: AdminOptions): DynamicModule {
    return {
      module: AdminModule,
      controllers: [
        ...[JobsController, LogController, StateController],
        ...[FloorsController, RetentionController, ArchiveController, BackupController],
        ...[CompactionController, ClockController],
      ],
      providers: [
        { provide: LedgerWriter, useValue: writer },
        { provide: LogKeeping, useValue: keeping },
        { provide: Jobs, useValue: keeping.jobs },
        { provide: ConsumerFloors, useValue: keeping.floors },
        { provide: LogRetention, useValue: keeping.retention },
        { provide: BackupPlace, useValue: new BackupPlace(backupDirectory ?? '') },
        { provide: DATA_DIRECTORIES, useValue: directories },
      ],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.keeping.stop();
  }
}

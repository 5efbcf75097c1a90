import { WalEventLog } from '@holdfast/event-store';
import { type DynamicModule, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { ArchiveController } from './archive/archive.controller.js';
import { BackupController } from './backup/backup.controller.js';
import {
  BackupPlace,
  ConsumerFloors,
  Jobs,
  LogRetention,
  type DataDirectories,
  LogOperations,
  type OperatedService,
  ProjectionCare,
} from '@holdfast/operations';
import { ClockController } from './clock/clock.controller.js';
import { compactionControllerFor } from './compaction/compaction.controller.js';
import { FloorsController } from './floors/floors.controller.js';
import { JobsController } from './jobs/jobs.controller.js';
import { ProjectionsController } from './projections/projections.controller.js';
import { QuarantineController } from './projections/quarantine.controller.js';
import { LogController } from './log/log.controller.js';
import { RetentionController } from './retention/retention.controller.js';
import { StateController } from './state/state.controller.js';
import { LogTelemetryModule, type LogTelemetryOptions } from './telemetry/log-telemetry.module.js';
import { DATA_DIRECTORIES, OPERATED_SERVICE } from './admin-tokens.js';

export interface AdminOptions {
  readonly service: OperatedService;
  /** The module stops it when the application is closed. */
  readonly operations: LogOperations;
  readonly directories: DataDirectories;
  /** Its health and figures are told here too: where no other API of the process tells them. */
  readonly observed?: LogTelemetryOptions;
  /** Below it backups may be made; anywhere when left out or empty. */
  readonly backupDirectory?: string;
}

/** The operator's API over HTTP. It is served on a port of its own: see `startAdmin`. */
@Module({})
export class AdminModule implements OnApplicationShutdown {
  constructor(@Inject(LogOperations) private readonly operations: LogOperations) {}

  static forRoot({
    service,
    operations,
    directories,
    backupDirectory,
    observed,
  }: AdminOptions): DynamicModule {
    return {
      module: AdminModule,
      imports: observed ? [LogTelemetryModule.forRoot(observed)] : [],
      controllers: [
        ...[JobsController, LogController, StateController],
        ...[
          FloorsController,
          ProjectionsController,
          QuarantineController,
          RetentionController,
          ArchiveController,
          BackupController,
        ],
        ...(service.compaction ? [compactionControllerFor(service.compaction)] : []),
        ClockController,
      ],
      providers: [
        { provide: WalEventLog, useValue: operations.log },
        { provide: LogOperations, useValue: operations },
        { provide: Jobs, useValue: operations.jobs },
        { provide: ConsumerFloors, useValue: operations.floors },
        { provide: LogRetention, useValue: operations.retention },
        { provide: ProjectionCare, useValue: operations.careOf(service.projections ?? []) },
        { provide: BackupPlace, useValue: new BackupPlace(backupDirectory ?? '') },
        { provide: DATA_DIRECTORIES, useValue: directories },
        { provide: OPERATED_SERVICE, useValue: service },
      ],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.operations.stop();
  }
}

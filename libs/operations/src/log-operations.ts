import type { WalEventLog } from '@holdfast/event-store';
import type { Clock } from '@holdfast/kernel';
import type { FeedConsumers } from '@holdfast/projections';
import { type RetentionSettings, assertFloorLimits, assertRetention } from './checked-settings.js';
import { ConsumerFloors, type FloorLimits } from './floors/consumer-floors.js';
import { Jobs } from './jobs/jobs.js';
import type { OperatorLog } from './operator-log.js';
import { archiveOf } from './archive/archive-work.js';
import type { OperatedProjection } from './projections/operated-projection.js';
import { ProjectionCare } from './projections/projection-care.js';
import { LogRetention } from './retention/log-retention.js';
import { snapshotsOf } from './retention/retention-snapshots.js';
import { RetentionSchedule } from './retention/retention-schedule.js';

export interface LogOperationsOptions {
  readonly log: WalEventLog;
  /** Who reads a feed of the log that was given consumers of its own. Those that read the log in this process keep their floors in any case. */
  readonly consumers?: FeedConsumers;
  readonly logger: OperatorLog;
  readonly floors: FloorLimits;
  /** `keep-all` when left out. */
  readonly retention?: RetentionSettings;
  /** What retention takes for the present. */
  readonly clock?: Clock;
}

const KEEP_ALL: RetentionSettings = {
  policy: 'keep-all',
  ...{ livePositionsMin: 0, liveMinutesMin: 0, intervalSeconds: 1 },
};
const MINUTE_MILLIS = 60_000;

/** What the owner of a log does beside taking commands: floors, and long work on the log. */
export class LogOperations {
  readonly log: WalEventLog;
  readonly floors: ConsumerFloors;
  readonly jobs: Jobs;
  readonly retention: LogRetention;
  private readonly schedule: RetentionSchedule;
  private readonly logger: OperatorLog;

  /** Throws `OPERATIONS_INVALID_OPTION`. */
  constructor(options: LogOperationsOptions) {
    const { log, consumers, logger, floors, retention = KEEP_ALL } = options;
    assertRetention(retention);
    assertFloorLimits(floors);
    this.log = log;
    this.logger = logger;
    this.floors = new ConsumerFloors({
      log,
      logger,
      limits: floors,
      ...(consumers && { consumers }),
    });
    this.jobs = new Jobs({ logger });
    const { policy, livePositionsMin, liveMinutesMin, intervalSeconds } = retention;
    const liveMillisMin = liveMinutesMin * MINUTE_MILLIS;
    this.retention = new LogRetention({
      log,
      options: { policy, livePositionsMin, liveMillisMin },
      archive: archiveOf(log.wal),
      ...(options.clock && { clock: options.clock }),
      snapshots: snapshotsOf(log),
      moveFloors: () => this.floors.move(),
    });
    this.schedule = new RetentionSchedule(this.retention, this.jobs, intervalSeconds * 1_000);
  }

  careOf(projections: readonly OperatedProjection[]): ProjectionCare {
    const { log, logger } = this;
    return new ProjectionCare({ projections, log, logger });
  }

  /** Nothing touches the log any more once this resolves. */
  async stop(): Promise<void> {
    this.floors.stop();
    this.schedule.stop();
    await this.jobs.close();
  }
}

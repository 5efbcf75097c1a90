export { archiveSealed } from './archive/archive-work.js';
export { BackupPlace } from './backup/backup-place.js';
export { backUp, snapshotPosition } from './backup/backup-work.js';
export { RestorePlace } from './backup/restore-place.js';
export {
  type DataRestoreReport,
  type OpenRestored,
  type OpenedLog,
  type RestoreOptions,
  restoreData,
} from './backup/restore-work.js';
export { type RetentionSettings, type ScrubSettings, assertScrub } from './checked-settings.js';
export {
  type CompactableLog,
  type CompactionPlan,
  type CompactionPolicy,
  type CompactionPresent,
  type DispensableFigures,
  type LogCompactionReport,
  compactLog,
  planCompaction,
} from './compaction/compact-log.js';
export { type DataDirectories, pathsOf } from './directories/data-directories.js';
export { OPERATIONS_ERROR_GUIDE } from './error-guide.js';
export {
  ConsumerFloors,
  type ConsumerFloorsOptions,
  type FloorLimits,
} from './floors/consumer-floors.js';
export type { FloorStatus } from './floors/floor-status.js';
export { KEPT_FLOORS } from './floors/kept-floors.js';
export type {
  JobLane,
  JobOptions,
  JobProblem,
  JobProgress,
  JobState,
  JobStatus,
  JobUnit,
  Work,
  WorkContext,
} from './jobs/job.js';
export { Jobs, type JobsOptions } from './jobs/jobs.js';
export { LogOperations, type LogOperationsOptions } from './log-operations.js';
export type { OperatedService } from './operated-service.js';
export type { OperatorLog } from './operator-log.js';
export type { OperatedProjection } from './projections/operated-projection.js';
export {
  type CaredProjection,
  ProjectionCare,
  type ProjectionCareOptions,
  type RebuildReport,
  type TablesStatus,
} from './projections/projection-care.js';
export {
  QuarantineCare,
  type QuarantineStatus,
  type WaitingCommit,
} from './projections/quarantine-care.js';
export {
  LogRetention,
  type LogRetentionOptions,
  type RetainedLog,
  type RetentionArchive,
  type RetentionPlan,
  type RetentionReport,
  type RetentionTotals,
} from './retention/log-retention.js';
export { RetentionSchedule } from './retention/retention-schedule.js';
export { NO_SNAPSHOTS, type RetentionSnapshots } from './retention/retention-snapshots.js';
export {
  LogScrubber,
  type LogScrubberOptions,
  type ScrubStats,
  type ScrubbedLog,
} from './scrub/log-scrubber.js';
export { scrubLog, verifyLog } from './scrub/log-work.js';
export {
  type DerivedState,
  type DerivedStateProof,
  type FoldedModel,
  type VerifyDerivedStateOptions,
  verifyDerivedState,
} from './state/verify-derived-state.js';
export {
  TIMELINES_TOLD_MAX,
  type TimelineStart,
  timelinesOf,
  timelinesText,
} from './timelines/log-timelines.js';

/**
 * For the operator of a log: archive, backup and restore, compaction, removal, repair and salvage. Appending and reading need none of it.
 *
 * @module
 */
export {
  ArchiveDirectory,
  type ArchiveDirectoryOptions,
} from '../care/archive/archive-directory.js';
export { type ArchiveOfLogOptions, openArchiveOf } from '../care/archive/archive-of-log.js';
export type {
  ArchivedSegment,
  ArchiveOwner,
  ArchiveStore,
  ArchiveWriter,
  PutOptions,
  SegmentSource,
} from '../segment/archive-store.js';
export { ARCHIVE_FLOOR } from '../directory/floors.js';
export type { ArchiveReport } from '../care/archive/archiving.js';
export type { BackupOptions, BackupReport } from '../care/backup/backup.js';
export type { BackupFile } from '../care/backup/backup-manifest.js';
export {
  type BackupSummary,
  type BackupVerification,
  describeBackup,
  verifyBackup,
} from '../care/backup/backup-verification.js';
export { restoreLog, type RestoreOptions, type RestoreReport } from '../care/backup/restore.js';
export {
  type ArchiveRepairOptions,
  type ArchiveRepairReport,
  type RepairedSegment,
  repairFromArchive,
} from '../care/archive/archive-repair.js';
export type { CompactionPolicy, CompactionReport } from '../care/compaction/compaction.js';
export type {
  RemovalOptions,
  RemovalPin,
  RemovalPlan,
  RemovalReport,
  RemovedSegment,
} from '../care/retention/removal.js';
export {
  salvage,
  type SalvageLeftOut,
  type SalvageLoss,
  type SalvageOptions,
  type SalvageReport,
} from '../care/salvage/salvage.js';
export type { ScrubOptions, ScrubReport } from '../read/scrub.js';
export type { WalMaintenance } from '../wal-maintenance.js';

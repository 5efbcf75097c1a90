export {
  ArchiveDirectory,
  type ArchiveDirectoryOptions,
} from './care/archive/archive-directory.js';
export { type ArchiveOfLogOptions, openArchiveOf } from './care/archive/archive-of-log.js';
export type {
  ArchivedSegment,
  ArchiveOwner,
  ArchiveStore,
  ArchiveWriter,
  PutOptions,
  SegmentSource,
} from './segment/archive-store.js';
export { ARCHIVE_FLOOR } from './directory/floors.js';
export type { ArchiveReport } from './care/archive/archiving.js';
export type { WorkOptions, WorkProgress } from './wal.types.js';
export type { BackupOptions, BackupReport } from './care/backup/backup.js';
export type { BackupFile } from './care/backup/backup-manifest.js';
export {
  type BackupSummary,
  type BackupVerification,
  describeBackup,
  verifyBackup,
} from './care/backup/backup-verification.js';
export { restoreLog, type RestoreOptions, type RestoreReport } from './care/backup/restore.js';
export {
  type ArchiveRepairOptions,
  type ArchiveRepairReport,
  type RepairedSegment,
  repairFromArchive,
} from './care/archive/archive-repair.js';
export type { IoMode } from './wal.types.js';
export type { DumpedFrame } from './read/dump.js';
export { type ErrorAdvice, WAL_ERROR_GUIDE } from './error-guide.js';
export { type File, type FileSystem, replaceFile } from './disk/file-system.js';
export { readSmallFile } from './disk/file-reading.js';
export { Floors } from './directory/floors.js';
export type { CompactionPolicy, CompactionReport } from './care/compaction/compaction.js';
export type { CommitFigures } from './wal.types.js';
export { assertPlaceForLog, type PlaceOptions } from './disk/network-file-systems.js';
export { NodeFileSystem } from './disk/node-file-system.js';
export type {
  RemovalOptions,
  RemovalPin,
  RemovalPlan,
  RemovalReport,
  RemovedSegment,
} from './care/retention/removal.js';
export type { RecoveryNote } from './recovery/repair.js';
export {
  salvage,
  type SalvageLeftOut,
  type SalvageLoss,
  type SalvageOptions,
  type SalvageReport,
} from './care/salvage/salvage.js';
export type { ScrubOptions, ScrubReport } from './read/scrub.js';
export type { CatalogEntry } from './read/segment-catalog.js';
export type { VerifyProblem, VerifyProgress, VerifyReport } from './read/verify.js';
export { Wal, type WalStats } from './wal.js';
export type { WalMaintenance } from './wal-maintenance.js';
export { WalError, type WalErrorCode, behindState } from './wal.errors.js';
export { FORMAT_VERSION as WAL_FORMAT_VERSION } from './format/wal-format.js';
export type { WalOptions } from './wal-options.js';
export { WalReader } from './wal-reader.js';
export {
  type Admission,
  type AppendOptions,
  BEFORE_FIRST,
  type Durability,
  type LogPosition,
  type LogSource,
  type LogTimeline,
  type ReadRange,
  type ScanVisitor,
  type Sequence,
  type WalRecord,
} from './wal.types.js';

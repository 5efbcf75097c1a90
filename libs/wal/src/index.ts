export { ArchiveDirectory, type ArchiveDirectoryOptions } from './archive-directory.js';
export { type ArchiveOfLogOptions, openArchiveOf } from './archive-of-log.js';
export type {
  ArchivedSegment,
  ArchiveOwner,
  ArchiveStore,
  ArchiveWriter,
  PutOptions,
  SegmentSource,
} from './archive-store.js';
export { ARCHIVE_FLOOR } from './floors.js';
export type { ArchiveReport } from './archiving.js';
export type { WorkOptions, WorkProgress } from './wal.types.js';
export type { BackupOptions, BackupReport } from './backup.js';
export type { BackupFile } from './backup-manifest.js';
export {
  type BackupSummary,
  type BackupVerification,
  describeBackup,
  verifyBackup,
} from './backup-verification.js';
export { restoreLog, type RestoreOptions, type RestoreReport } from './restore.js';
export {
  type ArchiveRepairOptions,
  type ArchiveRepairReport,
  type RepairedSegment,
  repairFromArchive,
} from './archive-repair.js';
export type { IoMode } from './wal.types.js';
export type { DumpedFrame } from './dump.js';
export { type ErrorAdvice, WAL_ERROR_GUIDE } from './error-guide.js';
export { type File, type FileSystem, replaceFile } from './file-system.js';
export { readSmallFile } from './file-reading.js';
export { Floors } from './floors.js';
export type { CompactionPolicy, CompactionReport } from './compaction.js';
export type { CommitFigures } from './wal.types.js';
export { assertPlaceForLog, type PlaceOptions } from './network-file-systems.js';
export { NodeFileSystem } from './node-file-system.js';
export type {
  RemovalOptions,
  RemovalPin,
  RemovalPlan,
  RemovalReport,
  RemovedSegment,
} from './removal.js';
export type { RecoveryNote } from './repair.js';
export {
  salvage,
  type SalvageLeftOut,
  type SalvageLoss,
  type SalvageOptions,
  type SalvageReport,
} from './salvage.js';
export type { ScrubOptions, ScrubReport } from './scrub.js';
export type { CatalogEntry } from './segment-catalog.js';
export type { VerifyProblem, VerifyProgress, VerifyReport } from './verify.js';
export { Wal, type WalStats } from './wal.js';
export { WalError, type WalErrorCode, behindState } from './wal.errors.js';
export { FORMAT_VERSION as WAL_FORMAT_VERSION } from './wal-format.js';
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

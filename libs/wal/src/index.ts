/**
 * The write-ahead log: the writer (`Wal`), readers in other processes (`WalReader`), and the guide to its error codes.
 *
 * @module
 */
export type { DumpedFrame } from './read/dump.js';
export { type ErrorAdvice, WAL_ERROR_GUIDE } from './error-guide.js';
export { type File, type FileSystem, replaceFile } from './disk/file-system.js';
export { readSmallFile } from './disk/file-reading.js';
export { Floors } from './directory/floors.js';
export { assertPlaceForLog, type PlaceOptions } from './disk/network-file-systems.js';
export { NodeFileSystem } from './disk/node-file-system.js';
export type { RecoveryNote } from './recovery/repair.js';
export type { CatalogEntry } from './read/segment-catalog.js';
export type { VerifyProblem, VerifyProgress, VerifyReport } from './read/verify.js';
export { Wal, type WalStats } from './wal.js';
export { WalError, type WalErrorCode, behindState } from './wal.errors.js';
export { FORMAT_VERSION as WAL_FORMAT_VERSION } from './format/wal-format.js';
export type { WalOptions } from './wal-options.js';
export { WalReader } from './wal-reader.js';
export {
  type Admission,
  type AppendOptions,
  BEFORE_FIRST,
  type CommitFigures,
  type Durability,
  type IoMode,
  type LogPosition,
  type LogSource,
  type LogTimeline,
  type ReadRange,
  type ScanVisitor,
  type Sequence,
  type WalRecord,
  type WorkOptions,
  type WorkProgress,
} from './wal.types.js';

/**
 * A disk in memory below the log's real code, for tests that cut the power: unsynced data may be lost, torn or reordered. The order of its own
 * operations may change between versions.
 *
 * @module
 */
export { afterPowerCut, DiskReplay, type PendingChange, type PendingEntry } from './disk-replay.js';
export {
  type DiskImage,
  type DiskOperation,
  type FileChange,
  SimulatedDirectory,
  SimulatedDisk,
  SimulatedFile,
} from './simulated-disk.js';
export type { Fault, FaultEffect, FaultyOperation } from './simulated-faults.js';
export { SimulatedFileSystem } from './simulated-file-system.js';

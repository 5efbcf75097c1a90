export { withAbandonedArchive } from './abandoned-archive.js';
export { afterPowerCut, DiskReplay, type PendingChange, type PendingEntry } from './disk-replay.js';
export { framesOf, type Lie, segmentHeaderOf, withForgedFrame } from './forged-frame.js';
export { SeededRandom } from './seeded-random.js';
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
export {
  batchAfter,
  LOG,
  openSimulated,
  payloadOf,
  simulatedOptions,
  textsOf,
  TickingClock,
} from './simulated-log.js';

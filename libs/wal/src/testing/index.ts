export * from '../simulation/index.js';
export { withAbandonedArchive } from './abandoned-archive.js';
export { framesOf, type Lie, segmentHeaderOf, withForgedFrame } from './forged-frame.js';
export { SeededRandom } from './seeded-random.js';
export {
  batchAfter,
  LOG,
  openSimulated,
  payloadOf,
  simulatedOptions,
  textsOf,
  TickingClock,
} from './simulated-log.js';

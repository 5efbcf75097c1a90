/**
 * For whoever follows a feed into something that is no read model: what the runner of projections is made of.
 *
 * @module
 */
export { BackOff, pause } from '../runner/back-off.js';
export { BatchGatherer } from '../runner/batch-gatherer.js';
export { firstBatch } from '../runner/first-batch.js';
export { HeadProbe } from '../runner/head-probe.js';
export { type ProjectionStatus, StatusKeeper } from '../runner/projection-status.js';
export { LifeLock } from '../store/sqlite/life-lock.js';

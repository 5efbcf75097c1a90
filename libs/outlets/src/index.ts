/**
 * The events of a log for other systems: outlets, each with its own durable position.
 *
 * @module
 */
export { OUTLET_ERROR_GUIDE } from './error-guide.js';
export { outletDisabled } from './outlet.errors.js';
export type { Delivery, EndedHistory, Outlet } from './outlet.js';
export type { OutletHold, OutletLease, OutletPositions, OutletRecord } from './outlet-positions.js';
export { OUTLET_CONSUMER_PREFIX } from './runner/outlet-pass.js';
export { OutletRunner, type OutletRunnerOptions } from './runner/outlet-runner.js';
export type { OutletState, OutletStatus } from './runner/outlet-status.js';
export {
  SqliteOutletPositions,
  type SqliteOutletPositionsOptions,
} from './store/sqlite-outlet-positions.js';

/**
 * What every other package shares: assertions, branded types, errors with stable codes, and the clock.
 *
 * @module
 */
export { ADDRESS_ALLOWED, addressOf } from './address.js';
export { AssertionFailed, assert, defined, unreachable } from './assert.js';
export type { Brand } from './brand.js';
export { type Clock, type MonotonicClock, systemClock } from './clock.js';
export {
  CodedError,
  type ErrorDetails,
  errorCode,
  errorMessage,
  isUnreadable,
} from './coded-error.js';
export { LOST_AND_FOUND } from './lost-and-found.js';
export { nearestName } from './nearest.js';
export { leaveThread, takeThread } from './spare-threads.js';
export { type EndingThread, ThreadEnd } from './thread-end.js';

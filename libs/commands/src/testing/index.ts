/**
 * Given, when, then: specifications of deciders, for any test runner, without a log.
 *
 * @module
 */
export { PlainStateStore } from './plain-state-store.js';
export { type Beside, type Expectations, type Older, specify } from './specify.js';

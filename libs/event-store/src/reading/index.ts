/**
 * For code that keeps or reads a read model. Loads nothing else.
 *
 * @module
 */
export { makeDurableDirectory, syncDirectory } from '../durable-directory.js';
export { BEFORE_FIRST_POSITION, type Position } from '../event.js';
export { assertUsableDirectory } from '../usable-directory.js';

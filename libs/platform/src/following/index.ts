/**
 * For a thread that only follows a log into a read model. Loads what that needs, and nothing else.
 *
 * @module
 */
export { createLogger } from '../logging/logger.js';

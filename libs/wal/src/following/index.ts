/**
 * For a thread that only follows the log. Loads what that needs, and nothing else.
 *
 * @module
 */
export { openArchiveOf } from '../care/archive/archive-of-log.js';
export { WalReader } from '../wal-reader.js';

/**
 * For a thread that only follows the log. Loads what that needs, and nothing else.
 *
 * @module
 */
export { EventLogReader } from '../event-log-reader.js';
export { Upcasters } from '../codec/upcaster.js';

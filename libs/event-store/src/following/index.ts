/** The small door of this room for who follows a log into a read model, in a thread of its own: it loads what that takes, and nothing else. */
export { EventLogReader } from '../event-log-reader.js';
export { Upcasters } from '../codec/upcaster.js';

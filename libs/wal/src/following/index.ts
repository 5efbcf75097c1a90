/** The small door of this room for who follows a log into a read model, in a thread of its own: it loads what that takes, and nothing else. */
export { openArchiveOf } from '../care/archive/archive-of-log.js';
export { WalReader } from '../wal-reader.js';

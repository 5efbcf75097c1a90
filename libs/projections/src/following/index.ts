/** The small door of this room for who follows a log into a read model, in a thread of its own: it loads what that takes, and nothing else. */
export { DirectoryFeed } from '../feed/directory-feed.js';
export { followForMain } from '../thread/main-thread.js';
export { ProjectionRunner } from '../runner/projection-runner.js';
export { SqliteReadModelStore } from '../store/sqlite/sqlite-read-model-store.js';

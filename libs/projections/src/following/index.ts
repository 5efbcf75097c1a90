/** The small door of this room for who follows a log into a read model, in a thread of its own: it loads what that takes, and nothing else. */
export { DirectoryFeed } from '../directory-feed.js';
export { ProjectionRunner } from '../projection-runner.js';
export { SqliteReadModelStore } from '../sqlite-read-model-store.js';

/**
 * For a thread that only follows a log into a read model. Loads what that needs, and nothing else.
 *
 * @module
 */
export { DirectoryFeed } from '../feed/directory-feed.js';
export { followForMain } from '../thread/main-thread.js';
export { rebuildForMain } from '../thread/rebuild-for-main.js';
export { rebuildProjection } from '../runner/rebuild-projection.js';
export { ProjectionRunner } from '../runner/projection-runner.js';
export { SqliteReadModelStore } from '../store/sqlite/sqlite-read-model-store.js';

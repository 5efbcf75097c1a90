/**
 * Read models that follow an event log: feeds, the runner, rebuilds, and the SQLite store.
 *
 * @module
 */
export { divergenceOf } from './feed/divergence.js';
export { DirectoryFeed, type DirectoryFeedOptions } from './feed/directory-feed.js';
export { type ErrorAdvice, PROJECTION_ERROR_GUIDE } from './error-guide.js';
export type {
  EventFeed,
  FeedBatch,
  FeedCursor,
  FeedOptions,
  FeedSubscription,
} from './event-feed.js';
export { type ConsumerReport, type ConsumerStatus, FeedConsumers } from './feed/feed-consumers.js';
export { CONSUMER_FLOOR_PREFIX, FeedFloors, type FloorKeeper } from './feed/feed-floors.js';
export {
  type BadEventPolicy,
  type DivergencePolicy,
  ProjectionRunner,
  type ProjectionRunnerOptions,
} from './runner/projection-runner.js';
export { PositionWaiters } from './runner/position-waiters.js';
export type { ProjectionState, ProjectionStatus } from './runner/projection-status.js';
export type { ReportTarget } from './feed/progress-reports.js';
export type { Projection, SqlProjection } from './projection.js';
export type {
  GenerationQuarantine,
  LeasedQuarantine,
  QuarantineChange,
  QuarantinedCommit,
  QuarantineOrders,
  SkipDecision,
  StoredQuarantine,
} from './quarantined-commit.js';
export type {
  AcquireOptions,
  FailedAttempts,
  GenerationStatus,
  Promotion,
  ReadModelDigest,
  ReadModelLease,
  ReadModelStore,
  ReadModelTarget,
  TableDigest,
} from './read-model-store.js';
export {
  type RebuildOptions,
  type RebuildProgress,
  rebuildProjection,
} from './runner/rebuild-projection.js';
export { SourceFeed, type SourceFeedOptions } from './feed/source-feed.js';
export {
  type ReadModelSnapshot,
  SqliteReadModel,
  type SqliteReadModelOptions,
} from './store/sqlite/sqlite-read-model.js';
export {
  SqliteReadModelStore,
  type SqliteReadModelStoreOptions,
} from './store/sqlite/sqlite-read-model-store.js';
export { SqliteStatements } from './store/sqlite/sqlite-statements.js';
export type {
  SqliteChanges,
  SqliteStatement,
  SqliteTransaction,
} from './store/sqlite/sqlite-transaction.js';
export type { FollowedProjection } from './thread/main-thread.js';
export { ProjectionThread } from './thread/projection-thread.js';
export { type ThreadRebuildOptions, rebuildInThread } from './thread/rebuild-in-thread.js';
export {
  type CompareReadModelOptions,
  type ReadModelVerification,
  type TableVerification,
  type VerifyReadModelOptions,
  compareReadModel,
  readModelsIn,
  verifyReadModel,
} from './verify-read-model.js';
export { lagging } from './read-model.errors.js';

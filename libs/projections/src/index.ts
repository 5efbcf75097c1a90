export { divergenceOf } from './divergence.js';
export { DirectoryFeed, type DirectoryFeedOptions } from './directory-feed.js';
export { type ErrorAdvice, PROJECTION_ERROR_GUIDE } from './error-guide.js';
export type {
  EventFeed,
  FeedBatch,
  FeedCursor,
  FeedOptions,
  FeedSubscription,
} from './event-feed.js';
export {
  EventFeedModule,
  type EventFeedModuleAsyncOptions,
  type EventFeedModuleOptions,
  type EventFeedServerOptions,
  eventFeedMicroservice,
} from './event-feed.module.js';
export { type ConsumerReport, type ConsumerStatus, FeedConsumers } from './feed-consumers.js';
export type { GrpcFeedTls } from './grpc-channel.js';
export { GrpcFeed, type GrpcFeedOptions } from './grpc-feed.js';
export { GrpcReports, type GrpcReportsOptions } from './grpc-reports.js';
export {
  type BadEventPolicy,
  type DivergencePolicy,
  ProjectionRunner,
  type ProjectionRunnerOptions,
} from './projection-runner.js';
export { PositionWaiters } from './position-waiters.js';
export type { ProjectionState, ProjectionStatus } from './projection-status.js';
export type { ReportTarget } from './progress-reports.js';
export type { Projection, SqlProjection } from './projection.js';
export type {
  AcquireOptions,
  FailedAttempts,
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
} from './rebuild-projection.js';
export { SourceFeed, type SourceFeedOptions } from './source-feed.js';
export {
  type ReadModelSnapshot,
  SqliteReadModel,
  type SqliteReadModelOptions,
} from './sqlite-read-model.js';
export {
  SqliteReadModelStore,
  type SqliteReadModelStoreOptions,
} from './sqlite-read-model-store.js';
export type { SqliteTransaction } from './sqlite-transaction.js';
export {
  type ReadModelVerification,
  type TableVerification,
  type VerifyReadModelOptions,
  verifyReadModel,
} from './verify-read-model.js';

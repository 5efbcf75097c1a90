/**
 * The feed over gRPC, server and client. No other file of this package loads gRPC or Nest's microservices.
 *
 * @module
 */
export {
  EventFeedModule,
  type EventFeedModuleAsyncOptions,
  type EventFeedModuleOptions,
  type EventFeedServerOptions,
  eventFeedMicroservice,
} from './event-feed.module.js';
export { type FeedSecurityFiles, feedClientSecurity, feedServerSecurity } from './feed-security.js';
export type { GrpcFeedTls } from './grpc-channel.js';
export { GrpcFeed, type GrpcFeedOptions } from './grpc-feed.js';
export { GrpcReports, type GrpcReportsOptions } from './grpc-reports.js';

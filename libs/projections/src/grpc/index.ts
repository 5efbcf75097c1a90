/** The feed over gRPC: the door of whoever serves it or follows it from afar. No other file of this room loads gRPC or Nest's microservices. */
export {
  EventFeedModule,
  type EventFeedModuleAsyncOptions,
  type EventFeedModuleOptions,
  type EventFeedServerOptions,
  eventFeedMicroservice,
} from './event-feed.module.js';
export type { GrpcFeedTls } from './grpc-channel.js';
export { GrpcFeed, type GrpcFeedOptions } from './grpc-feed.js';
export { GrpcReports, type GrpcReportsOptions } from './grpc-reports.js';

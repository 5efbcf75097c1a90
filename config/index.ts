export { APPLICATIONS, type ApplicationConfigurations, configurationOf } from './applications.js';
export {
  AdminConfiguration,
  AdminTokenConfiguration,
  FloorsConfiguration,
} from './admin.configuration.js';
export { CliConfiguration } from './cli.configuration.js';
export { CommandServiceConfiguration } from './command-service.configuration.js';
export { ConfigurationInvalid } from './configuration.errors.js';
export { FeedClientConfiguration, FeedServerConfiguration } from './feed.configuration.js';
export { HoldfastConfiguration } from './holdfast.configuration.js';
export type { Environment } from './environment.js';
export { ignoredVariables } from './load-configuration.js';
export { NatsConfiguration } from './nats.configuration.js';
export { ProjectionWorkerConfiguration } from './projection-worker.configuration.js';
export {
  EventStreamsConfiguration,
  FrontDoorConfiguration,
  QueriesConfiguration,
} from './queries.configuration.js';
export { ReadModelConfiguration } from './read-model.configuration.js';
export { QueryServiceConfiguration } from './query-service.configuration.js';
export { RetentionConfiguration } from './retention.configuration.js';
export { ScrubConfiguration } from './scrub.configuration.js';
export { LOG_LEVELS, ServiceConfiguration } from './service.configuration.js';
export { StateConfiguration } from './state.configuration.js';
export { StorageConfiguration } from './storage.configuration.js';
export { WalConfiguration } from './wal.configuration.js';

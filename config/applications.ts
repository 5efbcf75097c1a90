import { CliConfiguration } from './cli.configuration.js';
import { CommandServiceConfiguration } from './command-service.configuration.js';
import { HoldfastConfiguration } from './holdfast.configuration.js';
import type { Environment } from './environment.js';
import { loadConfiguration } from './load-configuration.js';
import { ProjectionWorkerConfiguration } from './projection-worker.configuration.js';
import { QueryServiceConfiguration } from './query-service.configuration.js';
import type { ConfigurationClass } from './variable.js';

/** The configuration of each application, by the name of its folder. */
export interface ApplicationConfigurations {
  readonly holdfast: HoldfastConfiguration;
  readonly 'command-service': CommandServiceConfiguration;
  readonly 'projection-worker': ProjectionWorkerConfiguration;
  readonly 'query-service': QueryServiceConfiguration;
  readonly cli: CliConfiguration;
}

export const APPLICATIONS: {
  readonly [Name in keyof ApplicationConfigurations]: ConfigurationClass<
    ApplicationConfigurations[Name]
  >;
} = {
  holdfast: HoldfastConfiguration,
  'command-service': CommandServiceConfiguration,
  'projection-worker': ProjectionWorkerConfiguration,
  'query-service': QueryServiceConfiguration,
  cli: CliConfiguration,
};

/**
 * The validated configuration of an application from its environment. Throws `ConfigurationInvalid`, which ends a service with
 * exit code 78.
 */
export function configurationOf<Name extends keyof ApplicationConfigurations>(
  application: Name,
  environment: Environment = process.env,
): ApplicationConfigurations[Name] {
  return loadConfiguration(APPLICATIONS[application], Object.values(APPLICATIONS), environment);
}

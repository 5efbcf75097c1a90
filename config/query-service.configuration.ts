import { FrontDoorConfiguration, QueriesConfiguration } from './queries.configuration.js';
import { ServiceConfiguration } from './service.configuration.js';
import { StorageConfiguration } from './storage.configuration.js';
import { Section, TextVariable } from './variable.js';

export class CommandUpstreamConfiguration {
  @TextVariable('HOLDFAST_COMMAND_URL', {
    default: 'http://127.0.0.1:7401',
    meaning: 'Where the query service forwards commands.',
    pattern: /^https?:\/\/[0-9A-Za-z.:[\]-]{1,255}$/,
    allowed: 'an http or https address without a path',
  })
  readonly url!: string;
}

/** `apps/query-service`: the read side alone, and the front door. */
export class QueryServiceConfiguration {
  @Section(() => FrontDoorConfiguration)
  readonly http!: FrontDoorConfiguration;

  @Section(() => ServiceConfiguration)
  readonly service!: ServiceConfiguration;

  @Section(() => StorageConfiguration)
  readonly storage!: StorageConfiguration;

  @Section(() => QueriesConfiguration)
  readonly queries!: QueriesConfiguration;

  @Section(() => CommandUpstreamConfiguration)
  readonly commands!: CommandUpstreamConfiguration;
}

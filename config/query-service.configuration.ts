import {
  EventStreamsConfiguration,
  FrontDoorConfiguration,
  QueriesConfiguration,
} from './queries.configuration.js';
import { ReadModelPlaceConfiguration } from './read-model.configuration.js';
import { ServiceConfiguration } from './service.configuration.js';
import { StorageConfiguration } from './storage.configuration.js';
import { AddressVariable, Section } from './variable.js';

export class CommandUpstreamConfiguration {
  @AddressVariable('HOLDFAST_COMMAND_URL', {
    default: 'http://127.0.0.1:7401',
    meaning: 'Where the query service forwards commands.',
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

  @Section(() => EventStreamsConfiguration)
  readonly events!: EventStreamsConfiguration;

  @Section(() => CommandUpstreamConfiguration)
  readonly commands!: CommandUpstreamConfiguration;

  @Section(() => ReadModelPlaceConfiguration)
  readonly readModelPlace!: ReadModelPlaceConfiguration;
}

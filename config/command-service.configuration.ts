import { AdminConfiguration, FloorsConfiguration } from './admin.configuration.js';
import { ClockConfiguration } from './clock.configuration.js';
import { FeedServerConfiguration } from './feed.configuration.js';
import { EventStreamsConfiguration } from './queries.configuration.js';
import { ReadModelPlaceConfiguration } from './read-model.configuration.js';
import { RetentionConfiguration } from './retention.configuration.js';
import { ScrubConfiguration } from './scrub.configuration.js';
import { ServiceConfiguration } from './service.configuration.js';
import { StateConfiguration } from './state.configuration.js';
import { StorageConfiguration } from './storage.configuration.js';
import { IntegerVariable, Section } from './variable.js';
import { WalConfiguration } from './wal.configuration.js';

export class CommandHttpConfiguration {
  @IntegerVariable('HOLDFAST_COMMAND_HTTP_PORT', {
    default: 7401,
    min: 0,
    max: 65_535,
    meaning: 'The port of the command service, behind the query service. 0 takes a free one.',
  })
  readonly port!: number;
}

/** `apps/command-service`: the write side alone. */
export class CommandServiceConfiguration {
  @Section(() => CommandHttpConfiguration)
  readonly http!: CommandHttpConfiguration;

  @Section(() => ServiceConfiguration)
  readonly service!: ServiceConfiguration;

  @Section(() => StorageConfiguration)
  readonly storage!: StorageConfiguration;

  @Section(() => WalConfiguration)
  readonly wal!: WalConfiguration;

  @Section(() => StateConfiguration)
  readonly state!: StateConfiguration;

  @Section(() => ClockConfiguration)
  readonly clock!: ClockConfiguration;

  @Section(() => AdminConfiguration)
  readonly admin!: AdminConfiguration;

  @Section(() => FloorsConfiguration)
  readonly floors!: FloorsConfiguration;

  @Section(() => RetentionConfiguration)
  readonly retention!: RetentionConfiguration;

  @Section(() => ScrubConfiguration)
  readonly scrub!: ScrubConfiguration;

  @Section(() => FeedServerConfiguration)
  readonly feedServer!: FeedServerConfiguration;

  @Section(() => ReadModelPlaceConfiguration)
  readonly readModelPlace!: ReadModelPlaceConfiguration;

  @Section(() => EventStreamsConfiguration)
  readonly events!: EventStreamsConfiguration;
}

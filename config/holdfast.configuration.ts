import { AdminConfiguration, FloorsConfiguration } from './admin.configuration.js';
import { ClockConfiguration } from './clock.configuration.js';
import { NatsConfiguration } from './nats.configuration.js';
import {
  EventStreamsConfiguration,
  FrontDoorConfiguration,
  QueriesConfiguration,
} from './queries.configuration.js';
import { ReadModelConfiguration, ReadModelPlaceConfiguration } from './read-model.configuration.js';
import { RetentionConfiguration } from './retention.configuration.js';
import { ScrubConfiguration } from './scrub.configuration.js';
import { ServiceConfiguration } from './service.configuration.js';
import { StateConfiguration } from './state.configuration.js';
import { StorageConfiguration } from './storage.configuration.js';
import { Section } from './variable.js';
import { WalConfiguration } from './wal.configuration.js';

/** `apps/holdfast`: everything in one process. */
export class HoldfastConfiguration {
  @Section(() => FrontDoorConfiguration)
  readonly http!: FrontDoorConfiguration;

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

  @Section(() => QueriesConfiguration)
  readonly queries!: QueriesConfiguration;

  @Section(() => EventStreamsConfiguration)
  readonly events!: EventStreamsConfiguration;

  @Section(() => ReadModelConfiguration)
  readonly readModel!: ReadModelConfiguration;

  @Section(() => ReadModelPlaceConfiguration)
  readonly readModelPlace!: ReadModelPlaceConfiguration;

  @Section(() => NatsConfiguration)
  readonly nats!: NatsConfiguration;
}

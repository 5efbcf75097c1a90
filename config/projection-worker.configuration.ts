import { FeedClientConfiguration } from './feed.configuration.js';
import { ReadModelConfiguration, ReadModelPlaceConfiguration } from './read-model.configuration.js';
import { NatsConfiguration } from './nats.configuration.js';
import { ServiceConfiguration } from './service.configuration.js';
import { StorageConfiguration } from './storage.configuration.js';
import { IntegerVariable, Section } from './variable.js';

export class ProjectionHttpConfiguration {
  @IntegerVariable('HOLDFAST_PROJECTION_HTTP_PORT', {
    default: 7403,
    min: 0,
    max: 65_535,
    meaning: 'The port of the projection worker: health and metrics. 0 takes a free one.',
  })
  readonly port!: number;
}

/** `apps/projection-worker`: follows the feed and keeps the read models. */
export class ProjectionWorkerConfiguration {
  @Section(() => ProjectionHttpConfiguration)
  readonly http!: ProjectionHttpConfiguration;

  @Section(() => ServiceConfiguration)
  readonly service!: ServiceConfiguration;

  @Section(() => StorageConfiguration)
  readonly storage!: StorageConfiguration;

  @Section(() => FeedClientConfiguration)
  readonly feed!: FeedClientConfiguration;

  @Section(() => ReadModelConfiguration)
  readonly readModel!: ReadModelConfiguration;

  @Section(() => ReadModelPlaceConfiguration)
  readonly readModelPlace!: ReadModelPlaceConfiguration;

  @Section(() => NatsConfiguration)
  readonly nats!: NatsConfiguration;
}

import {
  type AnyCommand,
  type CommandWriter,
  type Read,
  openCommandWriter,
} from '@holdfast/commands';
import { makeDurableDirectory, openData } from '@holdfast/event-store';
import {
  type BeforeApplicationShutdown,
  ConfigurableModuleBuilder,
  type DynamicModule,
  Inject,
  Module,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { DiscoveryModule, DiscoveryService, HttpAdapterHost } from '@nestjs/core';
import { Server } from 'node:http';
import { join } from 'node:path';
import { type Feature, modelOf } from '../feature/feature.js';
import { endingProcess, startFailed } from '../process/run-holdfast.js';
import { EventStreams } from '../events/event-streams.js';
import { Commands } from './commands.js';
import { DrainingServer } from './draining-server.js';
import { EventStore, type EventStoreOptions } from './event-store.js';
import { assertHandlers } from './handler-checks.js';
import { HoldfastHealth } from './holdfast-health.js';
import { ProblemsFilter } from './problems.filter.js';

const FEATURE = Symbol('a feature');

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } =
  new ConfigurableModuleBuilder<EventStoreOptions>()
    .setClassMethodName('forRoot')
    .setExtras({ isGlobal: true }, (module, { isGlobal }) => ({ ...module, global: isGlobal }))
    .build();

/** The log of a service, open as long as its application is. `forRoot` or `forRootAsync` once, `forFeature` for each feature, in any order.
 *
 * If another provider fails after the log was opened, Nest closes nothing, and the log stays locked until the process ends. */
@Module({
  imports: [DiscoveryModule],
  providers: [
    {
      provide: EventStore,
      inject: [MODULE_OPTIONS_TOKEN, DiscoveryService],
      useFactory: (options: EventStoreOptions, discovery: DiscoveryService) =>
        openEventStore(options, discovery),
    },
    { provide: EventStreams, inject: [EventStore], useFactory: eventStreams },
    ...[Commands, HoldfastHealth, ProblemsFilter],
  ],
  exports: [EventStore, EventStreams, Commands, HoldfastHealth, ProblemsFilter],
})
export class EventStoreModule
  extends ConfigurableModuleClass
  implements OnModuleInit, BeforeApplicationShutdown, OnApplicationShutdown
{
  private server: DrainingServer | undefined;

  constructor(
    @Inject(EventStore) private readonly store: EventStore,
    @Inject(HttpAdapterHost) private readonly host: Partial<HttpAdapterHost>,
  ) {
    super();
  }

  static forFeature(feature: Feature): DynamicModule {
    return {
      module: EventStoreFeatureModule,
      providers: [{ provide: FEATURE, useValue: feature }],
    };
  }

  onModuleInit(): void {
    const server: unknown = this.host.httpAdapter?.getHttpServer();
    if (server instanceof Server) this.server = new DrainingServer(server as Server);
  }

  /** Requests that wait for a read model end now, and those that wait for the log when it is durable: the server closes behind them. */
  beforeApplicationShutdown(): void {
    this.store.beginStop();
    this.server?.drain();
  }

  async onApplicationShutdown(): Promise<void> {
    this.server?.end();
    await this.store.close();
  }
}

@Module({})
class EventStoreFeatureModule {}

/** All modules are scanned before the first provider is made, so every feature is known, whatever the order of imports. */
function featuresOf(discovery: DiscoveryService): Feature[] {
  const found = discovery.getProviders().filter(({ token }) => token === FEATURE);
  return [...new Set(found.map(({ instance }) => instance as Feature))];
}

async function openEventStore(
  options: EventStoreOptions,
  discovery: DiscoveryService,
): Promise<EventStore> {
  const features = featuresOf(discovery);
  const fatal = options.onFatal ?? endingProcess();
  try {
    assertHandlers(discovery, features);
    return new EventStore(await openWriter(options, features), features, options, fatal);
  } catch (error) {
    startFailed(error);
    throw error;
  }
}

function eventStreams(store: EventStore): EventStreams {
  const { stopping, problems, writer, features, options } = store;
  // Not that a command was refused: its answer says so to whom it concerns.
  const types = features.flatMap(({ deciders, retired = [] }) => [
    ...deciders.flatMap(({ evolve }) => Object.keys(evolve)),
    ...retired,
  ]);
  const streams = new EventStreams({
    ...{ log: writer.log, stopping, problems, types },
    ...options.streams,
  });
  store.closesBefore(() => streams.close());
  return streams;
}

/** Throws what `openData` and `openCommandWriter` throw. */
async function openWriter(
  { directory, state, wal, takesOver, ...options }: EventStoreOptions,
  features: readonly Feature[],
): Promise<CommandWriter<AnyCommand, object, Read>> {
  const model = modelOf(features, takesOver);
  const [walDirectory, stateDirectory, snapshotDirectory, readModelDirectory] = [
    ...['wal', 'state', 'snapshots', 'read-models'],
  ].map((name) => join(directory, name)) as [string, string, string, string];
  const kept = state === false ? [] : [stateDirectory, snapshotDirectory];
  const places = {
    ...{ walDirectory, derivedDirectories: kept, readModelDirectory },
    ...{ archiveDirectory: wal?.archive?.directory, create: wal?.create ?? true },
  };
  return openData(places, () => {
    if (places.create) makeDurableDirectory(directory);
    return openCommandWriter(walDirectory, model, {
      ...options,
      wal: { ...wal, create: places.create },
      ...(state !== false && {
        state: { directory: stateDirectory, snapshotDirectory, ...state },
      }),
    });
  });
}

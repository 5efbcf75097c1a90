import { Upcasters } from '@holdfast/event-store/following';
import { errorCode } from '@holdfast/kernel';
import {
  type BadEventPolicy,
  FeedConsumers,
  type FollowedProjection,
  ProjectionThread,
  SourceFeed,
} from '@holdfast/projections';
import { type DynamicModule, Logger, Module } from '@nestjs/common';
import { join } from 'node:path';
import { modelOf } from '../feature/feature.js';
import type { SqliteProjection } from '../feature/projection.js';
import { startFailed } from '../process/run-holdfast.js';
import { EventStore } from '../store/event-store.js';
import { followHere } from './follow-here.js';
import { PROJECTION_THREAD, threadData } from './projection-thread.js';
import { Projections } from './projections.js';

export interface ProjectionsOptions {
  /** Each projection in a thread of its own, so that catching up takes nothing from the commands. Every feature then has a `url`. */
  readonly inThread?: boolean;
  /** What to do with an event that a projection throws at. Default `stop`. */
  readonly badEvents?: BadEventPolicy;
}

/** Keeps the read models of all features up with the log of `EventStoreModule`. */
@Module({})
export class ProjectionsModule {
  static forRoot(options: ProjectionsOptions = {}): DynamicModule {
    return {
      module: ProjectionsModule,
      global: true,
      providers: [
        {
          provide: Projections,
          inject: [EventStore],
          useFactory: (store: EventStore) => startProjections(store, options),
        },
      ],
      exports: [Projections],
    };
  }
}

async function startProjections(
  store: EventStore,
  { inThread = false, badEvents }: ProjectionsOptions,
): Promise<Projections> {
  const directory = join(store.options.directory, 'read-models');
  const projections = new Projections(store, directory);
  try {
    for (const projection of store.features.flatMap((feature) => feature.projections ?? [])) {
      const follow = inThread ? followInThread : followInMain;
      projections.add(projection, await follow(projection, directory, store, badEvents));
    }
    return projections;
  } catch (error) {
    startFailed(error);
    throw error;
  }
}

function followInMain(
  projection: SqliteProjection,
  directory: string,
  store: EventStore,
  badEvents: BadEventPolicy | undefined,
): FollowedProjection {
  const feed = new SourceFeed(store.writer.log);
  return followHere(projection, directory, feed, {
    badEvents,
    upcasters: new Upcasters(modelOf(store.features).schemas),
    onFailure: (error) => failed(error, store),
  });
}

function followInThread(
  { name }: SqliteProjection,
  readModelDirectory: string,
  store: EventStore,
  badEvents: BadEventPolicy | undefined,
): Promise<FollowedProjection> {
  const data = { ...threadData(name, readModelDirectory, store), badEvents };
  return ProjectionThread.start(PROJECTION_THREAD, data, {
    onFailure: (error) => failed(error, store),
    // Each thread as a peer of its own: what one of them may do with its reports takes nothing from the others.
    onReport: (report) => FeedConsumers.of(store.writer.log).report(report, `thread ${name}`),
  });
}

/** A read model is derived from the log: whatever is wrong with it, commands go on, and health says what is wrong. A log that is damaged, or a thread that ended, concerns the whole process. */
function failed(error: unknown, store: EventStore): void {
  if (/^(READ_MODEL|FEED|PROJECTION_FAILED)/.test(errorCode(error) ?? ''))
    new Logger('Holdfast').error('a projection cannot go on; commands do', error);
  else store.fatal(error);
}

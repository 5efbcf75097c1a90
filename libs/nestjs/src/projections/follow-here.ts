import type { Upcasters } from '@holdfast/event-store';
import type { BadEventPolicy, EventFeed, FollowedProjection } from '@holdfast/projections';
import { ProjectionRunner, SqliteReadModelStore } from '@holdfast/projections/following';
import type { SqliteProjection } from '../feature/projection.js';

export interface FollowOptions {
  readonly badEvents: BadEventPolicy | undefined;
  readonly upcasters: Upcasters;
  readonly onFailure: (error: unknown) => void;
}

/** Keeps a read model up with the log, in this thread. The feed is closed with it. */
export function followHere(
  projection: SqliteProjection,
  directory: string,
  feed: EventFeed,
  { badEvents = { kind: 'stop' }, upcasters, onFailure }: FollowOptions,
): FollowedProjection {
  const store = SqliteReadModelStore.open({ directory, projection });
  const runner = new ProjectionRunner({
    ...{ feed, store, badEvents },
    upcast: (event) => upcasters.upcast(event),
  });
  const stopping = new AbortController();
  const ended = runner.run(stopping.signal).catch(onFailure);
  return {
    get status() {
      return runner.status;
    },
    async stop() {
      stopping.abort();
      await ended;
      await feed.close();
      await store.close();
    },
  };
}

import type { EventFeed, FollowedProjection } from '@holdfast/projections';
import { ProjectionRunner, SqliteReadModelStore } from '@holdfast/projections/following';
import type { SqliteProjection } from '../feature/projection.js';

/** Keeps a read model up with the log, in this thread. The feed is closed with it. */
export function followHere(
  projection: SqliteProjection,
  directory: string,
  feed: EventFeed,
  onFailure: (error: unknown) => void,
): FollowedProjection {
  const store = SqliteReadModelStore.open({ directory, projection });
  const runner = new ProjectionRunner({ feed, store });
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

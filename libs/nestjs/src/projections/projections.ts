import { assert } from '@holdfast/kernel';
import {
  type FollowedProjection,
  type ProjectionStatus,
  SqliteReadModel,
  SqliteReadModelStore,
  type ThreadRebuildOptions,
  lagging,
  rebuildInThread,
} from '@holdfast/projections';
import type { SqliteProjection } from '../feature/projection.js';
import type { EventStore } from '../store/event-store.js';
import { PROJECTION_THREAD, canRunThread, threadData } from './projection-thread.js';

/** What has nothing to say for so long hangs. */
const UNHEARD_MILLIS = 10_000;

interface Followed {
  readonly followed: FollowedProjection;
  readonly model: SqliteReadModel;
}

/** As `OperatedService` of `@holdfast/operations` takes it. */
export interface OperatedReadModel {
  readonly name: string;
  readonly version: number;
  readonly openStore: () => SqliteReadModelStore;
  readonly rebuild?: (options: ThreadRebuildOptions) => Promise<boolean>;
}

/** The read models of the features, and who keeps them up with the log. */
export class Projections {
  private readonly byName = new Map<string, Followed>();

  constructor(
    private readonly store: EventStore,
    private readonly directory: string,
  ) {
    store.closesBefore(() => this.stop());
  }

  add(projection: SqliteProjection, followed: FollowedProjection): void {
    const { name } = projection;
    assert(!this.byName.has(name), `one projection is called ${name}`);
    const model = SqliteReadModel.open({ directory: this.directory, projection });
    this.byName.set(name, { followed, model });
    this.store.healthChecks.set(`projection ${name}`, () => faultOf(followed.status));
  }

  /** Throws `AssertionFailed` for a projection that no feature has. */
  modelOf({ name }: SqliteProjection): SqliteReadModel {
    const found = this.byName.get(name);
    assert(found !== undefined, `a feature has the projection ${name}`);
    return found.model;
  }

  /** For `OperationsModule`: what its operator can list, pause and rebuild. A rebuild runs in a thread, so it needs the `url` of every feature. */
  operated(): OperatedReadModel[] {
    const { store, directory } = this;
    return store.features
      .flatMap(({ projections = [] }) => projections)
      .map((projection) => ({
        ...{ name: projection.name, version: projection.version },
        openStore: () => SqliteReadModelStore.open({ directory, projection }),
        ...(canRunThread(store) && {
          rebuild: (options) => {
            const data = threadData(projection.name, directory, store);
            return rebuildInThread(PROJECTION_THREAD, { ...data, rebuilds: true }, options);
          },
        }),
      }));
  }

  /** How far each has come, by name. */
  statuses(): ReadonlyMap<string, ProjectionStatus> {
    return new Map(Array.from(this.byName, ([name, { followed }]) => [name, followed.status]));
  }

  /** For tests: resolves once all that was decided by now is in every read model. Throws `PROJECTION_LAGGING`. */
  async caughtUp(timeoutMillis = 5_000): Promise<void> {
    const { log } = this.store.writer;
    await log.wal.flush();
    const position = log.durablePosition;
    for (const [name, { followed, model }] of this.byName)
      if (!(await model.waitForPosition(position, timeoutMillis)))
        throw lagging(name, position, faultOf(followed.status) ?? followed.status.state);
  }

  private async stop(): Promise<void> {
    const all = [...this.byName.values()];
    await Promise.all(all.map(({ followed }) => followed.stop()));
    for (const { model } of all) model.close();
  }
}

function faultOf({ state, lastError, ageMillis }: ProjectionStatus): string | undefined {
  if (ageMillis > UNHEARD_MILLIS) return `has said nothing for ${Math.round(ageMillis)} ms`;
  switch (state) {
    case 'starting':
    case 'waiting-for-lease':
    case 'paused':
    case 'catching-up':
    case 'live':
      return undefined;
    default:
      return lastError === undefined ? state : `${state}: ${lastError.message}`;
  }
}

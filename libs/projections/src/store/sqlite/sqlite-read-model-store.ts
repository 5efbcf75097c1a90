import { type MonotonicClock, systemClock } from '@holdfast/kernel';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FeedCursor } from '../../event-feed.js';
import type { SqlProjection } from '../../projection.js';
import { notReady, unavailable } from '../../read-model.errors.js';
import type {
  AcquireOptions,
  GenerationStatus,
  ReadModelDigest,
  ReadModelLease,
  ReadModelStore,
} from '../../read-model-store.js';
import {
  type GenerationTimes,
  WAITING_POLL_MILLIS,
  assertValid,
  timesOf,
} from '../generations/generation-times.js';
import { bookkeepingAt, cursorOf, hasCaughtUp } from './sqlite-bookkeeping.js';
import { SqliteCatalog, catalogPath } from './sqlite-catalog.js';
import { SqliteConnection } from './sqlite-connection.js';
import { digestOf } from './sqlite-digest.js';
import { ASTRAY, type LeaseMark, SqliteLease } from './sqlite-lease.js';
import { SqliteStoredQuarantine, quarantinedEventsAt } from './sqlite-quarantine.js';
import { sweep } from './sqlite-sweep.js';
import type { SqliteTransaction } from './sqlite-transaction.js';

export interface SqliteReadModelStoreOptions extends Partial<GenerationTimes> {
  /** Holds a folder for each projection; made when missing. On a local disk: SQLite needs its locks and shared memory. */
  readonly directory: string;
  readonly projection: SqlProjection<SqliteTransaction>;
  readonly clock?: MonotonicClock;
}

/** The embedded read model: one SQLite file a generation, and a small catalog that says which one is live. */
export class SqliteReadModelStore implements ReadModelStore<SqliteTransaction> {
  readonly projection: SqlProjection<SqliteTransaction>;
  readonly quarantine: SqliteStoredQuarantine;
  private catalog: SqliteCatalog | undefined;

  private constructor(
    private readonly options: SqliteReadModelStoreOptions,
    private readonly clock: MonotonicClock,
  ) {
    this.projection = options.projection;
    assertValid(this.projection);
    this.quarantine = new SqliteStoredQuarantine(
      () => this.found(),
      () => clock.nowMillis(),
    );
  }

  /** Its files are opened, and made, when they are first asked for: a disk that is not there yet is waited for like one that went away. */
  static open(options: SqliteReadModelStoreOptions): SqliteReadModelStore {
    return new SqliteReadModelStore(options, options.clock ?? systemClock);
  }

  async acquire(options: AcquireOptions): Promise<ReadModelLease<SqliteTransaction> | undefined> {
    const { leaseMillis, graceMillis, olderVersionMillis } = timesOf(this.options);
    const { owner, target = 'live', signal } = options;
    const { projection, clock } = this;
    const lockedMillisMax = leaseMillis;
    let lockedAtMillis: number | undefined;
    let watched: Watched | undefined;
    while (!signal.aborted) {
      const catalog = this.opened();
      catalog.reopenIfRemoved();
      sweep(catalog, { clock, graceMillis, olderVersionMillis });
      if (target === 'live' && catalog.isPaused()) {
        options.onPaused?.(this.standsAt(catalog));
        await sleep(WAITING_POLL_MILLIS, undefined, { signal }).catch(() => undefined);
        continue;
      }
      const generation = catalog.choose(target, projection.version);
      const watchedMillis = clock.monotonicMillis() - (watched?.sinceMillis ?? Infinity);
      const overdue = watchedMillis >= leaseMillis ? watched?.lease : undefined;
      const times = { leaseMillis, graceMillis, olderVersionMillis };
      const context = { catalog, projection, owner, target, ...times, clock, overdue };
      const taken = SqliteLease.take(context, generation);
      if (taken instanceof SqliteLease) return taken;
      if (taken === ASTRAY) continue;
      const sinceMillis = clock.monotonicMillis();
      if (taken.lease !== undefined && !isSame(taken.lease, watched?.lease))
        watched = { lease: taken.lease, sinceMillis };
      if (taken.holder !== undefined) {
        lockedAtMillis = undefined;
        options.onWaiting?.(taken.holder, taken.cursor);
      } else {
        // A worker writes for moments, and shows by its lease that it lives. Whoever writes for longer than a lease lasts is none, or hangs.
        lockedAtMillis ??= performance.now();
        if (performance.now() - lockedAtMillis >= lockedMillisMax)
          throw unavailable(catalog.pathOf(generation.id), 'another program keeps it locked');
      }
      await sleep(WAITING_POLL_MILLIS, undefined, { signal }).catch(() => undefined);
    }
    return undefined;
  }

  generations(): Promise<readonly GenerationStatus[]> {
    const catalog = this.found();
    const statuses = catalog?.generations().map(({ id: generation, version, state, ...since }) => {
      const found = bookkeepingAt(catalog.pathOf(generation));
      const refusal = catalog.refusalOf(generation);
      const isKept = found !== undefined && found.lease_until > this.clock.nowMillis();
      const owner = isKept ? (found.owner ?? undefined) : undefined;
      const cursor = found && cursorOf(found);
      const promotedAtMillis = since.promotedAtMillis ?? undefined;
      const quarantinedEvents = quarantinedEventsAt(catalog.pathOf(generation));
      const of = { generation, version, state, promotedAtMillis, cursor, owner, refusal };
      return { ...of, quarantinedEvents };
    });
    return Promise.resolve(statuses ?? []);
  }

  paused(): Promise<boolean> {
    return Promise.resolve(this.found()?.isPaused() ?? false);
  }

  setPaused(paused: boolean): Promise<boolean> {
    const catalog = this.found();
    catalog?.setPaused(paused);
    return Promise.resolve(catalog !== undefined);
  }

  drop(generation: number): Promise<boolean> {
    return Promise.resolve(this.found()?.giveUp(generation) ?? false);
  }

  async digest(): Promise<ReadModelDigest> {
    const catalog = this.opened();
    const live = catalog.live(this.projection.version);
    const connection = live && SqliteConnection.openedIf(catalog.pathOf(live.id), hasCaughtUp);
    if (connection === undefined) throw notReady(this.projection);
    try {
      return await digestOf(connection);
    } finally {
      connection.close();
    }
  }

  close(): Promise<void> {
    this.catalog?.close();
    this.catalog = undefined;
    return Promise.resolve();
  }

  /** Where its version's tables stand. */
  private standsAt(catalog: SqliteCatalog): FeedCursor | undefined {
    const own = catalog.generations().filter(({ version }) => version === this.projection.version);
    const tables = own.find(({ state }) => state === 'live') ?? own[0];
    const found = tables && bookkeepingAt(catalog.pathOf(tables.id));
    return found && cursorOf(found);
  }

  /** Of somebody who only looks: to open a catalog that is not there would be to make it. Throws as `opened`. */
  private found(): SqliteCatalog | undefined {
    const isThere = existsSync(catalogPath(this.options.directory, this.projection.name));
    return isThere ? this.opened() : undefined;
  }

  /** Throws `READ_MODEL_UNAVAILABLE`, `READ_MODEL_DAMAGED`. */
  private opened(): SqliteCatalog {
    const { directory } = this.options;
    return (this.catalog ??= new SqliteCatalog(directory, this.projection.name, this.clock));
  }
}

/** A lease, and since when it has been seen unchanged. */
interface Watched {
  readonly lease: LeaseMark;
  readonly sinceMillis: number;
}

function isSame(found: LeaseMark, known: LeaseMark | undefined): boolean {
  return found.token === known?.token && found.untilMillis === known.untilMillis;
}

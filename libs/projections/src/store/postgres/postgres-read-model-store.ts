import { type MonotonicClock, systemClock } from '@holdfast/kernel';
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
  ReadModelTarget,
} from '../../read-model-store.js';
import { type GenerationRow, PostgresCatalog, assertMadeBy, cursorOf } from './postgres-catalog.js';
import { digestOf } from './postgres-digest.js';
import { isRemoved } from './postgres-errors.js';
import { ASTRAY, type LeaseMark, PostgresHold } from './postgres-hold.js';
import {
  type GenerationTimes,
  WAITING_POLL_MILLIS,
  assertValid,
  timesOf,
} from '../generations/generation-times.js';
import { type LeaseContext, PostgresLease, sweep } from './postgres-lease.js';
import { type Look, PostgresStoredQuarantine, quarantinedEvents } from './postgres-quarantine.js';
import {
  type PostgresConnection,
  PostgresSession,
  type SessionPool,
  schemaOf,
} from './postgres-session.js';
import type { PostgresTransaction } from './postgres-transaction.js';

export interface PostgresReadModelStoreOptions
  extends PostgresConnection, Partial<GenerationTimes> {
  readonly projection: SqlProjection<PostgresTransaction>;
  readonly clock?: MonotonicClock;
}

/** For looks; each lease has a connection of its own besides. */
const POOL = { connectionsMax: 2, answerMillisMax: 60_000 };

/** A read model in PostgreSQL: one schema a generation, and a catalog that says which one is live. */
export class PostgresReadModelStore implements ReadModelStore<PostgresTransaction> {
  readonly projection: SqlProjection<PostgresTransaction>;
  readonly quarantine: PostgresStoredQuarantine;
  private readonly catalog: PostgresCatalog;
  private readonly pool: SessionPool;

  private constructor(
    private readonly options: PostgresReadModelStoreOptions,
    private readonly clock: MonotonicClock,
  ) {
    this.projection = options.projection;
    assertValid(this.projection);
    this.catalog = new PostgresCatalog(schemaOf(options), this.projection, clock);
    this.pool = PostgresSession.pooled(options, POOL);
    const look: Look = (work) => this.look(work);
    this.quarantine = new PostgresStoredQuarantine(this.catalog, look, () => clock.nowMillis());
  }

  /** Connects when it is first asked for something: a server that is not there yet is waited for like one that went away. */
  static open(options: PostgresReadModelStoreOptions): PostgresReadModelStore {
    return new PostgresReadModelStore(options, options.clock ?? systemClock);
  }

  async acquire(options: AcquireOptions): Promise<ReadModelLease<PostgresTransaction> | undefined> {
    const session = await PostgresSession.open(this.options);
    let lease: ReadModelLease<PostgresTransaction> | undefined;
    try {
      return (lease = await this.acquireIn(session, options));
    } catch (error) {
      throw await this.catalog.explained(session, error);
    } finally {
      if (lease === undefined) await session.close();
    }
  }

  async generations(): Promise<readonly GenerationStatus[]> {
    const rows = await this.look((session) => this.catalog.generations(session));
    // A catalog of an older program has no such table.
    const waiting = await this.look((session) => quarantinedEvents(session, this.catalog));
    return (rows ?? []).map((row) => ({
      generation: row.id,
      version: row.version,
      state: row.state === 'live' ? row.state : 'filling',
      promotedAtMillis: row.promoted_at ?? undefined,
      cursor: cursorOf(row),
      owner: row.lease_until > this.clock.nowMillis() ? (row.owner ?? undefined) : undefined,
      refusal: row.refusal ?? undefined,
      quarantinedEvents: waiting?.get(row.id) ?? 0,
    }));
  }

  async paused(): Promise<boolean> {
    return (await this.look((session) => this.catalog.isPaused(session))) ?? false;
  }

  async setPaused(paused: boolean): Promise<boolean> {
    return (await this.look((session) => this.catalog.setPaused(session, paused))) ?? false;
  }

  async drop(generation: number): Promise<boolean> {
    return (await this.look((session) => this.catalog.giveUp(session, generation))) ?? false;
  }

  async digest(): Promise<ReadModelDigest> {
    const digest = await this.look((session) =>
      session.transaction(async () => {
        await session.run('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
        const live = await this.catalog.live(session, this.projection.version);
        if (live?.is_made !== true) throw notReady(this.projection);
        return await digestOf(session, live.schema, cursorOf(live));
      }),
    );
    if (digest === undefined) throw notReady(this.projection);
    return digest;
  }

  close(): Promise<void> {
    return this.pool.close();
  }

  private async acquireIn(
    session: PostgresSession,
    { owner, target = 'live', onWaiting, onPaused, signal }: AcquireOptions,
  ): Promise<ReadModelLease<PostgresTransaction> | undefined> {
    const { clock } = this;
    const context = this.contextOf(session, owner, target);
    const { leaseMillis } = context;
    await this.catalog.prepare(session);
    await sweep(context);
    let lockedAtMillis: number | undefined;
    let watched: WatchedLease | undefined;
    while (!signal.aborted) {
      if (target === 'live' && (await this.catalog.isPaused(session))) {
        onPaused?.(this.standsAt(await this.catalog.generations(session)));
        await sleep(WAITING_POLL_MILLIS, undefined, { signal }).catch(() => undefined);
        continue;
      }
      const id = await this.catalog.choose(session, target);
      const overdue = watched?.isOver(clock, leaseMillis) === true ? watched.lease : undefined;
      const taken = await PostgresHold.take(context, id, overdue && { overdue });
      if (taken === ASTRAY) continue;
      if ('hold' in taken) {
        assertMadeBy(taken.row, this.projection);
        return await PostgresLease.on(context, taken.hold, taken.row);
      }
      if (taken.lease !== undefined && !isSame(taken.lease, watched?.lease))
        watched = new WatchedLease(taken.lease, clock.monotonicMillis());
      if (taken.holder !== undefined) {
        lockedAtMillis = undefined;
        onWaiting?.(taken.holder, taken.cursor);
      } else {
        // Whoever locks the row for longer than a lease lasts is no worker, or none that can be ended.
        lockedAtMillis ??= performance.now();
        if (performance.now() - lockedAtMillis >= leaseMillis + LOCKED_MILLIS_MAX)
          throw unavailable(session.place, 'another program keeps it locked');
      }
      await sleep(WAITING_POLL_MILLIS, undefined, { signal }).catch(() => undefined);
    }
    return undefined;
  }

  /** Where its version's tables stand. */
  private standsAt(all: readonly GenerationRow[]): FeedCursor | undefined {
    const own = all.filter(({ version }) => version === this.projection.version);
    const tables = own.find(({ state }) => state === 'live') ?? own[0];
    return tables && cursorOf(tables);
  }

  private contextOf(
    session: PostgresSession,
    owner: string,
    target: ReadModelTarget,
  ): LeaseContext {
    const { catalog, clock } = this;
    const { leaseMillis, graceMillis, olderVersionMillis } = timesOf(this.options);
    return { catalog, session, owner, target, leaseMillis, graceMillis, olderVersionMillis, clock };
  }

  /** Of somebody who only looks: undefined where no worker has made a catalog. */
  private look<Result>(
    work: (session: PostgresSession) => Promise<Result>,
  ): Promise<Result | undefined> {
    return this.pool.with(async (session) => {
      try {
        return await work(session);
      } catch (error) {
        if (isRemoved(error)) return undefined;
        throw error;
      }
    });
  }
}

/** A take waits for a second each time. */
const LOCKED_MILLIS_MAX = 5_000;

/** A lease, and since when it has been seen unchanged. */
class WatchedLease {
  constructor(
    readonly lease: LeaseMark,
    private readonly sinceMillis: number,
  ) {}

  isOver(clock: MonotonicClock, leaseMillis: number): boolean {
    return clock.monotonicMillis() - this.sinceMillis >= leaseMillis;
  }
}

function isSame(found: LeaseMark, known: LeaseMark | undefined): boolean {
  return found.token === known?.token && found.untilMillis === known.untilMillis;
}

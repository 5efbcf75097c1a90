import type { Position } from '@holdfast/event-store';
import { type MonotonicClock, assert, defined } from '@holdfast/kernel';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FeedCursor } from '../../event-feed.js';
import { LifeLock } from './life-lock.js';
import type { SqlProjection } from '../../projection.js';
import type { QuarantineChange } from '../../quarantined-commit.js';
import {
  classified,
  conflict,
  fenced,
  isBusy,
  paused,
  unavailable,
} from '../../read-model.errors.js';
import type {
  FailedAttempts,
  HasDiverged,
  Promotion,
  ReadModelLease,
  ReadModelTarget,
} from '../../read-model-store.js';
import {
  type Bookkeeping,
  bookkeepingOf,
  cursorOf,
  hasCaughtUp,
  isOf,
  markCaughtUp,
} from './sqlite-bookkeeping.js';
import { SwitchOver } from '../generations/switch-over.js';
import type { Generation, SqliteCatalog } from './sqlite-catalog.js';
import { BUSY_TIMEOUT_MILLIS, SqliteConnection } from './sqlite-connection.js';
import { assertMadeBy, prepareGeneration } from './sqlite-generation.js';
import {
  SqliteLeasedQuarantine,
  changeQuarantine,
  prepareQuarantine,
} from './sqlite-quarantine.js';
import { sweep } from './sqlite-sweep.js';
import { type FilledFile, SqliteSwitch } from './sqlite-switch.js';
import type { SqliteTransaction } from './sqlite-transaction.js';

export interface LeaseContext {
  readonly catalog: SqliteCatalog;
  readonly projection: SqlProjection<SqliteTransaction>;
  readonly owner: string;
  readonly target: ReadModelTarget;
  readonly leaseMillis: number;
  readonly graceMillis: number;
  readonly olderVersionMillis: number;
  readonly clock: MonotonicClock;
  /** A lease that has been watched unchanged for as long as one lasts: it has run out, whatever the wall clock says. */
  readonly overdue?: LeaseMark | undefined;
}

/** Changes with each renewal. */
export interface LeaseMark {
  readonly token: number;
  readonly untilMillis: number;
}

/** Somebody else has the generation: a worker that shows life, and where it stands, or whoever writes just now. */
interface Occupied {
  readonly holder: string | undefined;
  readonly cursor: FeedCursor | undefined;
  readonly lease: LeaseMark | undefined;
}

/** The catalog and the file of the generation do not belong together, and the catalog does not have the generation any more. */
export const ASTRAY = 'astray';
const LOCKED: Occupied = { holder: undefined, cursor: undefined, lease: undefined };
const neverDiverged: HasDiverged = () => Promise.resolve(false);
const TAKING_TIMEOUT_MILLIS = 20;
/** A forced take waits for one transaction of the present worker, which is bounded by the size of a batch. */
const FORCED_TRIES_MAX = 500;
const FORCED_PAUSE_MILLIS = 10;

const TAKE = `UPDATE holdfast_projection SET token = ?, owner = ?, lease_until = ?`;
/** Compare and set: the token and the position must be the ones that this worker knows. */
const AS_KNOWN = `WHERE token = ? AND position = ? AND log_id IS ? AND timeline IS ?`;
const HOLD = `UPDATE holdfast_projection SET lease_until = ? ${AS_KNOWN}`;
/** Its time stays, as over: the tables of an older version are kept for a while after the last lease on them. */
const RELEASE = `UPDATE holdfast_projection SET lease_until = ?, owner = NULL WHERE token = ?`;
const FAIL = `UPDATE holdfast_projection SET attempts = attempts + 1, error = ?, lease_until = ? WHERE token = ?`;
const MOVE = `
  UPDATE holdfast_projection
  SET log_id = ?, position = ?, timeline = ?, lease_until = ?, attempts = 0, error = NULL
  ${AS_KNOWN}
`;

/**
 * The right to write one generation.
 *
 * Invariant: no two workers' commits interleave. Each commit checks, in its own transaction, that the token is still the one this
 * lease took; the operating system's lock and the time only decide how soon another worker may take a higher one.
 */
export class SqliteLease implements ReadModelLease<SqliteTransaction>, FilledFile {
  cursor: FeedCursor | undefined;
  failure: FailedAttempts | undefined;
  readonly quarantine: SqliteLeasedQuarantine;
  private renewedAtMillis: number;
  private busy = false;
  private released = false;
  private readonly switchOver: SwitchOver;

  private constructor(
    private readonly context: LeaseContext,
    private readonly connection: SqliteConnection,
    readonly generation: number,
    readonly token: number,
    private readonly life: LifeLock,
    before: Bookkeeping,
  ) {
    this.cursor = cursorOf(before);
    this.renewedAtMillis = context.clock.monotonicMillis();
    const tables = new SqliteSwitch(context.catalog, this, (live) => this.takeByForce(live));
    this.switchOver = new SwitchOver(tables, this);
    this.quarantine = new SqliteLeasedQuarantine(connection, context.catalog, generation);
    if (before.attempts > 0)
      this.failure = {
        attempts: before.attempts,
        after: before.position as Position,
        error: before.error ?? '',
      };
  }

  /** The lease, or who has it, or that there is nothing to be had. By force: also from a live worker, which is fenced by that. */
  static take(
    context: LeaseContext,
    generation: Pick<Generation, 'id' | 'version'>,
    force = false,
  ): SqliteLease | Occupied | typeof ASTRAY {
    const { catalog, projection } = context;
    const path = catalog.pathOf(generation.id);
    const connection = new SqliteConnection(path);
    let taken: SqliteLease | Occupied | undefined;
    try {
      // Asked before the file is: whoever makes tables the live ones has marked them first.
      const isLive = catalog.stateOf(generation.id) === 'live';
      // Who holds the write lock may be of this very thread, waiting for it: so a short wait, and the caller comes back.
      connection.waitAtMost(TAKING_TIMEOUT_MILLIS);
      const isMade = prepareGeneration(connection, projection);
      if (!isMade && !isOf(connection, { ...projection, version: generation.version })) {
        catalog.disown(generation.id);
        return ASTRAY;
      }
      if (!isMade && generation.version === projection.version)
        assertMadeBy(connection, projection);
      // The file is gone and was made anew, or it is of another time than the catalog. Crash here, with an empty file: it is marked.
      if (isLive && !hasCaughtUp(connection)) {
        catalog.giveUp(generation.id);
        return ASTRAY;
      }
      taken = SqliteLease.takeFrom(connection, context, generation.id, force);
      // Not before it is ours: until then the worker that has filled it may make it the live one. What is only filled is begun again after a power cut.
      if (taken instanceof SqliteLease && !taken.promoted)
        connection.database.pragma('synchronous = NORMAL');
      connection.waitAtMost(BUSY_TIMEOUT_MILLIS);
      return taken;
    } catch (error) {
      if (isBusy(error)) return LOCKED;
      throw classified(path, error);
    } finally {
      if (!(taken instanceof SqliteLease)) connection.close();
    }
  }

  private static takeFrom(
    connection: SqliteConnection,
    context: LeaseContext,
    generation: number,
    force: boolean,
  ): SqliteLease | Occupied {
    const locks = `${connection.path}.lock`;
    const look = (): Bookkeeping | Occupied => {
      const before = bookkeepingOf(connection);
      const { token, lease_until: untilMillis } = before;
      const { overdue } = context;
      const isOverdue = token === overdue?.token && untilMillis === overdue.untilMillis;
      // After its time, a holder that is alive but stuck loses the lease too. The wall clock that wrote the time may have been set back since.
      const inTime = untilMillis > context.clock.nowMillis() && !isOverdue;
      if (force || !inTime || !LifeLock.isHeld(locks, token)) return before;
      const holder = before.owner ?? 'unknown';
      return { holder, cursor: cursorOf(before), lease: { token, untilMillis } };
    };
    // Looked at without the write lock first, so that those who wait do not slow down the one who works.
    const found = look();
    if ('holder' in found) return found;
    let life: LifeLock | undefined;
    try {
      return connection.transaction(() => {
        const before = look();
        if ('holder' in before) return before;
        const token = before.token + 1;
        const until = context.clock.nowMillis() + context.leaseMillis;
        life = defined(LifeLock.take(locks, token), 'the byte of a token that nobody had yet');
        connection.prepare(TAKE).run(token, context.owner, until);
        prepareQuarantine(connection);
        return new SqliteLease(context, connection, generation, token, life, before);
      });
    } catch (error) {
      life?.release();
      throw error;
    }
  }

  get version(): number {
    return this.context.projection.version;
  }

  get promoted(): boolean {
    return this.context.catalog.stateOf(this.generation) === 'live';
  }

  async transact(
    to: FeedCursor | undefined,
    work: (transaction: SqliteTransaction) => void | Promise<void>,
    changes: readonly QuarantineChange[] = [],
  ): Promise<void> {
    this.assertUsable();
    this.busy = true;
    try {
      this.assertWanted();
      this.connection.begin('IMMEDIATE');
      if (to === undefined) this.change(HOLD);
      else this.change(MOVE, to.logId, to.position, to.timeline);
      await work(this.connection);
      changeQuarantine(this.connection, changes, this.context.clock.nowMillis());
      this.connection.commit();
      // Before anybody hears of the position, and a floor moves to it: what is committed to removed files is nowhere. Crash here: they are as they were.
      this.assertInPlace();
    } catch (error) {
      this.connection.rollback();
      throw classified(this.connection.path, error);
    } finally {
      this.busy = false;
    }
    if (to !== undefined) this.failure = undefined;
    this.cursor = to ?? this.cursor;
    this.renewedAtMillis = this.context.clock.monotonicMillis();
  }

  /** Changes the bookkeeping within a transaction, as long as it is what this worker knows. */
  private change(sql: string, ...values: readonly unknown[]): void {
    const { position = 0, logId = null, timeline = null } = this.cursor ?? {};
    const known = [this.leaseUntil(), this.token, position, logId, timeline];
    if (this.connection.prepare(sql).run(...values, ...known).changes === 1) return;
    const found = bookkeepingOf(this.connection);
    const details = { generation: this.generation, token: this.token, foundToken: found.token };
    if (found.token !== this.token) throw fenced(details);
    throw conflict({ ...details, position, foundPosition: found.position });
  }

  held<Result>(body: () => Result): Result {
    return this.connection.transaction(() => {
      this.change(HOLD);
      return body();
    });
  }

  async renew(): Promise<void> {
    this.assertUsable();
    this.assertWanted();
    // Two looks at a directory, with each batch and each half second without one: never by a clock, which may be set or find no time for them.
    this.assertInPlace();
    const { clock, leaseMillis, catalog, projection, target } = this.context;
    if (target === 'live' && catalog.isPaused()) throw paused(projection.name);
    await this.switchOver.renew();
    const now = clock.monotonicMillis();
    if (now - this.renewedAtMillis < leaseMillis / 3) return;
    this.held(() => undefined);
    this.renewedAtMillis = now;
    sweep(catalog, this.context);
  }

  async recordFailure(error: string): Promise<FailedAttempts> {
    this.assertUsable();
    const until = this.leaseUntil();
    // Counted and read in one transaction: what fails is classified, and has counted nothing.
    const { attempts, position } = this.connection.transaction(() => {
      const { changes } = this.connection.prepare(FAIL).run(error, until, this.token);
      if (changes !== 1) throw fenced({ generation: this.generation, token: this.token });
      return bookkeepingOf(this.connection);
    });
    this.failure = { attempts, after: position as Position, error };
    return await Promise.resolve(this.failure);
  }

  async promote(
    hasDiverged: HasDiverged = neverDiverged,
    lastLook?: () => Promise<void>,
  ): Promise<Promotion> {
    this.assertUsable();
    this.assertWanted();
    this.assertInPlace();
    const promotion = await this.switchOver.run(hasDiverged, lastLook);
    this.assertInPlace();
    return promotion;
  }

  refuse(reason: string): Promise<void> {
    return this.marked((catalog) => catalog.refuse(this.generation, reason));
  }

  async accept(): Promise<void> {
    if (this.context.catalog.refusalOf(this.generation) === undefined) return;
    await this.marked((catalog) => catalog.accept(this.generation));
  }

  giveUp(): Promise<void> {
    return this.marked((catalog) => void catalog.giveUp(this.generation));
  }

  /** Whoever has lost the lease has no say in what queries see. */
  private async marked(change: (catalog: SqliteCatalog) => void): Promise<void> {
    this.assertUsable();
    this.assertWanted();
    this.held(() => change(this.context.catalog));
    await Promise.resolve();
  }

  /** Undefined when there is nothing to be replaced after all. */
  private async takeByForce(id: number): Promise<SqliteLease | undefined> {
    for (let tries = 0; tries < FORCED_TRIES_MAX; tries += 1) {
      const taken = SqliteLease.take(this.context, { id, version: this.version }, true);
      if (taken instanceof SqliteLease) return taken;
      if (taken === ASTRAY) return undefined;
      await sleep(FORCED_PAUSE_MILLIS);
    }
    throw unavailable(this.context.catalog.pathOf(id), 'its worker does not end a transaction');
  }

  /** It was filled at full speed. A commit that is synced now takes all the earlier ones to the disk with it. */
  makeDurable(): void {
    this.connection.database.pragma('synchronous = FULL');
    this.held(() => markCaughtUp(this.connection));
    this.connection.database.pragma('wal_checkpoint(TRUNCATE)');
  }

  async release(): Promise<void> {
    if (this.released) return;
    assert(!this.busy, 'a lease is not released within a transaction');
    this.released = true;
    await this.switchOver.end();
    try {
      const endedAtMillis = this.context.clock.nowMillis();
      this.connection.transaction(() =>
        this.connection.prepare(RELEASE).run(endedAtMillis, this.token),
      );
    } catch {
      // A successor finds the byte of our token free and need not wait either.
    }
    this.life.release();
    try {
      this.connection.close();
    } catch {
      // Nobody uses it any more: whoever goes on has a connection of their own.
    }
  }

  private assertUsable(): void {
    assert(!this.released, 'a released lease is not used');
    assert(!this.busy, 'one transaction at a time');
  }

  /** Tables that were replaced or given up are not worth another commit. */
  private assertWanted(): void {
    const state = this.context.catalog.stateOf(this.generation);
    if (state === 'live' || state === 'filling') return;
    throw fenced({ generation: this.generation, token: this.token, state: state ?? 'removed' });
  }

  private assertInPlace(): void {
    if (this.connection.isInPlace() && this.context.catalog.isInPlace()) return;
    throw unavailable(this.connection.path, 'its files were removed or replaced');
  }

  private leaseUntil(): number {
    return this.context.clock.nowMillis() + this.context.leaseMillis;
  }
}

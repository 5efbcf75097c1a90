import type { RecordedEvent } from '@holdfast/event-store';
import { BEFORE_FIRST_POSITION, type Position } from '@holdfast/event-store/reading';
import {
  CodedError,
  errorCode,
  errorMessage,
  type MonotonicClock,
  systemClock,
} from '@holdfast/kernel';
import { hostname } from 'node:os';
import { threadId } from 'node:worker_threads';
import { BackOff, pause } from './back-off.js';
import type { EventFeed, FeedCursor } from '../event-feed.js';
import { cannotGoOn, lacksMore } from '../read-model.errors.js';
import { HeadProbe } from './head-probe.js';
import { PositionWaiters } from './position-waiters.js';
import { BatchRefused, CommitsUnclear, ProjectionPass } from './projection-pass.js';
import { QUARANTINED_EVENTS_MAX, Quarantine } from './quarantine.js';
import { type ProjectionState, type ProjectionStatus, StatusKeeper } from './projection-status.js';
import type {
  AcquireOptions,
  ReadModelLease,
  ReadModelStore,
  ReadModelTarget,
} from '../read-model-store.js';

/**
 * What to do when `apply` throws. `stop` ends the runner. `retry` backs off and tries again, counts durably, and stops after the last attempt. `quarantine` sets the commit aside after the last
 * attempt, with those that touch what it touches, and goes on; it stops when more than `most` events would wait (default 1,000). What waits already goes on to wait under any policy.
 */
export type BadEventPolicy =
  | { readonly kind: 'stop' }
  | { readonly kind: 'retry'; readonly attempts: number }
  | { readonly kind: 'quarantine'; readonly attempts: number; readonly most?: number };

/**
 * What to do when the read model was made from another history of the log: the log was restored, or replaced by an older copy. Queries get no answers
 * from it in either case. `rebuild` rebuilds it from the log; `refuse` ends the runner. A read model of another log always ends the runner: two
 * installations were mixed up, and either may be the wrong one.
 */
export type DivergencePolicy = 'rebuild' | 'refuse';

export interface ProjectionRunnerOptions<Transaction> {
  readonly feed: EventFeed;
  readonly store: ReadModelStore<Transaction>;
  /** Default `stop`. */
  readonly badEvents?: BadEventPolicy;
  /** For what is released from the quarantine: the event in the form that this program knows. */
  readonly upcast?: (event: RecordedEvent) => RecordedEvent;
  /** Default `rebuild`. */
  readonly divergence?: DivergencePolicy;
  /** The most events in one transaction when nearly caught up; ten times as many when far behind. Default 1,000. */
  readonly batchEvents?: number;
  /** Who holds the lease, for people to read. Default: host, process and thread. */
  readonly owner?: string;
  /** Called after each change of state, for logging. */
  readonly onState?: (status: ProjectionStatus) => void;
  /** Default `live`. `fresh` fills new tables beside the live ones, and ends once they have taken over. */
  readonly target?: ReadModelTarget;
  readonly clock?: MonotonicClock;
}

const BATCH_EVENTS = 1_000;
/** The codes of the log, the feed, the read model and the projection. */
const TOLD = /^(WAL|EVENT|FEED|READ_MODEL|PROJECTION)_/;

/** Follows a feed into a read model, exactly once, from where the read model stands. */
export class ProjectionRunner<Transaction> {
  private readonly statusKeeper: StatusKeeper;
  private readonly waiters: PositionWaiters;
  private readonly backOff = new BackOff();
  private carefulTo = BEFORE_FIRST_POSITION;
  private readonly headProbe: HeadProbe;
  /** Where the read model stood when it could be asked last. */
  private lastCursor: FeedCursor | undefined;
  private promoted = false;
  /** Of the tables that queries see. */
  private reached = BEFORE_FIRST_POSITION;
  private failed: unknown;

  constructor(private readonly options: ProjectionRunnerOptions<Transaction>) {
    const { store, clock = systemClock, onState } = options;
    this.statusKeeper = new StatusKeeper(store.projection, clock, onState);
    this.headProbe = new HeadProbe(options.feed, (head) => this.statusKeeper.headIs(head));
    this.waiters = new PositionWaiters(() => this.reached);
  }

  get status(): ProjectionStatus {
    return this.statusKeeper.status;
  }

  /** What ended it, if a failure did. */
  get failure(): unknown {
    return this.failed;
  }

  /** Whether a runner with the target `fresh` has done what it was for. */
  get tookOver(): boolean {
    return this.promoted;
  }

  /**
   * Runs until the signal fires (resolves between two batches) or an error that no retry can fix (rejects).
   *
   * @throws `FEED_DIVERGED`, as `divergence` says; `FEED_COMPACTED`, `FEED_REFUSED`.
   * @throws `READ_MODEL_NEWER`, `READ_MODEL_CHANGED`, `READ_MODEL_DAMAGED`.
   * @throws `PROJECTION_FAILED`: `apply` refused an event, or the database the tables; whatever else is a bug.
   * @throws what a damaged log throws.
   */
  async run(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted && !this.promoted) await this.passOrPause(signal);
      this.statusKeeper.enter('stopped');
    } catch (thrown) {
      const error = this.told(thrown);
      this.failed = error;
      this.statusKeeper.failed(error);
      this.statusKeeper.enter('failed');
      throw error;
    } finally {
      this.waiters.close();
    }
  }

  /** True once the read model that queries see has durably reached the position; false on the timeout, or when the runner has ended. */
  waitFor(position: Position, timeoutMillis: number): Promise<boolean> {
    return this.waiters.wait(position, timeoutMillis);
  }

  /** Whoever hears of an end tells by its code whether the log is concerned, or the read model alone. */
  private told(error: unknown): unknown {
    const isTold = TOLD.test(errorCode(error) ?? '');
    return isTold ? error : cannotGoOn(this.options.store.projection.name, error);
  }

  private async passOrPause(signal: AbortSignal): Promise<void> {
    const lease = await this.acquireOrPause(signal);
    if (lease === undefined) return;
    try {
      await this.pass(lease, signal);
    } catch (error) {
      await this.recover(error, lease, signal);
    } finally {
      await lease.release();
    }
  }

  private async acquireOrPause(
    signal: AbortSignal,
  ): Promise<ReadModelLease<Transaction> | undefined> {
    const { store, target = 'live', owner = ownName() } = this.options;
    const waits = (cursor: FeedCursor | undefined, state: 'waiting-for-lease' | 'paused') => {
      this.statusKeeper.waits(cursor?.position ?? BEFORE_FIRST_POSITION, state);
      this.headProbe.look(cursor, signal);
    };
    const onWaiting: AcquireOptions['onWaiting'] = (_, cursor) =>
      waits(cursor, 'waiting-for-lease');
    const onPaused: AcquireOptions['onPaused'] = (cursor) => waits(cursor, 'paused');
    try {
      return await store.acquire({ owner, target, onWaiting, onPaused, signal });
    } catch (error) {
      if (errorCode(error) !== 'READ_MODEL_UNAVAILABLE') throw error;
      this.headProbe.look(this.lastCursor, signal);
      await this.pauseFor(error, 'store-unavailable', signal);
      return undefined;
    }
  }

  private async pass(lease: ReadModelLease<Transaction>, signal: AbortSignal): Promise<void> {
    const { store, feed, batchEvents = BATCH_EVENTS, target } = this.options;
    const { cursor, failure } = lease;
    this.lastCursor = cursor;
    const position = cursor?.position ?? BEFORE_FIRST_POSITION;
    this.statusKeeper.holds(lease.generation, position, failure?.attempts ?? 0);
    if (lease.promoted) this.moved(position);
    const quarantine = await this.quarantineOf(lease);
    this.statusKeeper.quarantines(quarantine.events);
    await new ProjectionPass({
      feed,
      projection: store.projection,
      lease,
      quarantine,
      onPromotion: () => this.assertLacksNoMore(quarantine, lease),
      status: this.statusKeeper,
      batchEvents,
      carefulTo: this.carefulTo,
      endWhenPromoted: target === 'fresh',
      onBatch: () => this.backOff.reset(),
      onMoved: (moved) => this.moved(moved),
      signal,
    }).run();
    this.promoted = target === 'fresh' && lease.promoted;
  }

  private quarantineOf(lease: ReadModelLease<Transaction>): Promise<Quarantine<Transaction>> {
    const { store, badEvents, upcast } = this.options;
    const most = badEvents?.kind === 'quarantine' ? badEvents.most : undefined;
    const eventsMax = most ?? QUARANTINED_EVENTS_MAX;
    return Quarantine.of({ projection: store.projection, lease, eventsMax, upcast });
  }

  /** Queries do not go over from live tables to fresh ones that lack what those have. Tables that are nobody's yet may lack it. */
  private async assertLacksNoMore(
    { waiting }: Quarantine<Transaction>,
    { generation }: ReadModelLease<Transaction>,
  ): Promise<void> {
    if (waiting.length === 0) return;
    const { projection, quarantine } = this.options.store;
    const { version } = projection;
    const all = await this.options.store.generations();
    const live = all.find((one) => one.version === version && one.state === 'live');
    const reached = live?.cursor?.position ?? BEFORE_FIRST_POSITION;
    const listed = (await quarantine.list()).find((one) => one.generation === live?.generation);
    const lacking = new Set(listed?.commits.map(({ position }) => position));
    const lost = waiting.find(({ position }) => position <= reached && !lacking.has(position));
    if (lost !== undefined) throw lacksMore(projection.name, generation, lost);
  }

  private moved(position: Position): void {
    this.reached = position;
    this.waiters.look();
  }

  private async recover(
    error: unknown,
    lease: ReadModelLease<Transaction>,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      if (error instanceof CommitsUnclear) this.carefulTo = error.batch.cursor.position;
      else if (error instanceof BatchRefused) await this.recoverFromRefusal(error, lease, signal);
      else if (errorCode(error) === 'FEED_DIVERGED') await this.recoverFromDivergence(error, lease);
      else throw error;
    } catch (failure) {
      // To count a refusal or to give tables up writes too, and may fail as a pass does: it then happens once more.
      await this.pauseOrThrow(failure, signal);
    }
  }

  /** Pauses for what time can mend; throws everything else. */
  private async pauseOrThrow(error: unknown, signal: AbortSignal): Promise<void> {
    switch (errorCode(error)) {
      case 'READ_MODEL_PAUSED':
        // The next lease is waited for until it is resumed.
        return;
      case 'FEED_UNAVAILABLE':
        await this.pauseFor(error, 'feed-unavailable', signal);
        return;
      case 'READ_MODEL_FENCED':
        await this.pauseFor(error, 'waiting-for-lease', signal);
        return;
      case 'READ_MODEL_UNAVAILABLE':
      case 'READ_MODEL_CONFLICT':
        await this.pauseFor(error, 'store-unavailable', signal);
        return;
      default:
        throw error;
    }
  }

  private async pauseFor(
    error: unknown,
    state: ProjectionState,
    signal: AbortSignal,
  ): Promise<void> {
    this.statusKeeper.failed(error);
    this.statusKeeper.enter(state);
    await this.backOff.pause(signal);
  }

  private async recoverFromDivergence(
    error: unknown,
    lease: ReadModelLease<Transaction>,
  ): Promise<void> {
    // First of all, and whatever comes between: no query is answered from a history that is no more. Crash here: the reason stays with the tables.
    await lease.refuse(errorMessage(error));
    this.statusKeeper.failed(error);
    this.statusKeeper.enter('diverged');
    const { divergence = 'rebuild' } = this.options;
    if (lease.promoted && (divergence === 'refuse' || isOfAnotherLog(error))) throw error;
    await lease.giveUp();
    // What is filled next begins before the first event.
    this.carefulTo = BEFORE_FIRST_POSITION;
  }

  private async recoverFromRefusal(
    refused: BatchRefused,
    lease: ReadModelLease<Transaction>,
    signal: AbortSignal,
  ): Promise<void> {
    if (!refused.careful) {
      // One of many commits is refused: those before it shall be applied, and the error shall name it.
      this.statusKeeper.failed(refused.cause);
      this.carefulTo = refused.batch.cursor.position;
      return;
    }
    const { batch, message } = refused;
    const quarantine = await this.quarantineOf(lease);
    if (await quarantine.passOver(batch.events, batch.cursor, message)) return;
    const { attempts } = await lease.recordFailure(message);
    const failure = projectionFailed(this.options.store.projection.name, refused, attempts);
    this.statusKeeper.failed(failure, attempts);
    const { badEvents = { kind: 'stop' } } = this.options;
    if (badEvents.kind === 'quarantine' && attempts >= badEvents.attempts) {
      await quarantine.isolate(batch.events, batch.cursor, attempts, message);
      this.statusKeeper.enter('retrying');
      return;
    }
    if (badEvents.kind === 'stop' || attempts >= badEvents.attempts) throw failure;
    this.statusKeeper.enter('retrying');
    await pause(attempts - 1, signal);
  }
}

function isOfAnotherLog(error: unknown): boolean {
  return error instanceof CodedError && error.details['foundLogId'] !== undefined;
}

function ownName(): string {
  return `${hostname()} process ${process.pid} thread ${threadId}`;
}

function projectionFailed(
  projection: string,
  { batch, message, cause }: BatchRefused,
  attempts: number,
): CodedError {
  const [first] = batch.events;
  const last = batch.events.at(-1);
  return new CodedError(
    'PROJECTION_FAILED',
    `the projection ${projection} cannot apply the commit that ends at position ${batch.cursor.position}: ${message}`,
    {
      projection,
      firstPosition: first?.position,
      lastPosition: last?.position,
      stream: first?.stream,
      type: first?.type,
      attempts,
    },
    { cause },
  );
}

import { BEFORE_FIRST_POSITION, type Position } from '@holdfast/event-store/reading';
import { type MonotonicClock, errorCode, errorMessage } from '@holdfast/kernel';
import type { FeedBatch } from '../event-feed.js';
import { RateMeter } from './rate-meter.js';

export type ProjectionState =
  | 'starting'
  | 'waiting-for-lease'
  | 'paused'
  | 'catching-up'
  | 'live'
  | 'feed-unavailable'
  | 'store-unavailable'
  | 'diverged'
  | 'retrying'
  | 'stopped'
  | 'failed';

export interface ProjectionStatus {
  readonly name: string;
  readonly version: number;
  readonly state: ProjectionState;
  /** Which set of tables is being filled; undefined without a lease. */
  readonly generation: number | undefined;
  /** Durable in the read model; 0 before the first event. */
  readonly position: Position;
  /** The log's durable position when last heard of. */
  readonly head: Position;
  readonly lagEvents: number;
  /** At most this old is the oldest event not yet applied; 0 when caught up. */
  readonly lagSeconds: number;
  /** Over the last seconds. */
  readonly eventsPerSecond: number;
  /** Events handed to `apply` and committed since the start of this process. */
  readonly appliedEvents: number;
  /** For how long the position has not moved though there is something to apply; 0 when there is nothing. */
  readonly stillMillis: number;
  /** Failures in a row of the commit that is next, over all processes. */
  readonly attempts: number;
  /** Events that wait in the quarantine: rows that queries do not see. */
  readonly quarantinedEvents: number;
  /** The last failure, also when it has been overcome since. */
  readonly lastError:
    { readonly code: string; readonly message: string; readonly atMillis: number } | undefined;
  /** How long ago the log was last heard of, whatever it said. */
  readonly unheardMillis: number;
  /** How long ago this was the status: 0 where it is asked for in the projection's own thread. */
  readonly ageMillis: number;
}

/** So few positions behind the log's end counts as live: what is under way. */
export const LIVE_LAG_EVENTS = 1_000;

/** Gathers what a status tells. */
export class StatusKeeper {
  private state: ProjectionState = 'starting';
  private generation: number | undefined;
  private position = BEFORE_FIRST_POSITION;
  private head = BEFORE_FIRST_POSITION;
  private appliedEvents = 0;
  /** This and the next two by a clock that nobody sets: a step of the wall clock hides no lag and makes none. */
  private stillSinceMillis: number;
  private attempts = 0;
  private quarantinedEvents = 0;
  private lastError: ProjectionStatus['lastError'];
  /** Everything that was in the log at this time has been applied. */
  private completeUntilMillis: number;
  private heardAtMillis: number;
  private readonly rate = new RateMeter();

  constructor(
    private readonly projection: { readonly name: string; readonly version: number },
    private readonly clock: MonotonicClock,
    private readonly onState: (status: ProjectionStatus) => void = () => undefined,
  ) {
    const now = clock.monotonicMillis();
    this.stillSinceMillis = this.completeUntilMillis = this.heardAtMillis = now;
  }

  get status(): ProjectionStatus {
    const now = this.clock.monotonicMillis();
    const lagEvents = Math.max(0, this.head - this.position);
    return {
      name: this.projection.name,
      version: this.projection.version,
      state: this.state,
      generation: this.generation,
      position: this.position,
      head: this.head,
      lagEvents,
      lagSeconds: lagEvents === 0 ? 0 : (now - this.completeUntilMillis) / 1_000,
      eventsPerSecond: this.rate.perSecond(),
      appliedEvents: this.appliedEvents,
      stillMillis: lagEvents === 0 ? 0 : now - this.stillSinceMillis,
      attempts: this.attempts,
      quarantinedEvents: this.quarantinedEvents,
      lastError: this.lastError,
      unheardMillis: now - this.heardAtMillis,
      ageMillis: 0,
    };
  }

  enter(state: ProjectionState): void {
    if (this.state === state) return;
    this.state = state;
    this.onState(this.status);
  }

  holds(generation: number | undefined, position: Position, attempts: number): void {
    this.generation = generation;
    this.position = position;
    this.attempts = attempts;
  }

  quarantines(events: number): void {
    this.quarantinedEvents = events;
  }

  /** Another worker moves the read model meanwhile, or an operator wants nobody to: this is where it stands. */
  waits(position: Position, state: 'waiting-for-lease' | 'paused'): void {
    if (position !== this.position) this.stillSinceMillis = this.clock.monotonicMillis();
    this.position = position;
    this.enter(state);
  }

  /** Told while nothing can be applied, so that the lag is the one there is. */
  headIs(head: Position): void {
    if (this.position >= this.head) this.stillSinceMillis = this.clock.monotonicMillis();
    this.head = head;
    this.heardAtMillis = this.clock.monotonicMillis();
  }

  heard({ events, head }: FeedBatch): void {
    this.headIs(head);
    const [oldest] = events;
    // Times never decrease along the log, so nothing older than the first event of a batch is missing.
    if (oldest !== undefined) this.completeUntilMillis = this.timeOf(oldest.recordedAtMillis);
  }

  moved({ events, cursor, head }: FeedBatch): void {
    this.position = cursor.position;
    this.appliedEvents += events.length;
    this.stillSinceMillis = this.clock.monotonicMillis();
    this.attempts = 0;
    this.rate.count(events.length);
    const newest = events.at(-1);
    if (newest !== undefined) this.completeUntilMillis = this.timeOf(newest.recordedAtMillis);
    this.caughtUp(head);
  }

  /** Also told by each heartbeat. */
  caughtUp(head: Position): void {
    if (this.position >= head) this.completeUntilMillis = this.clock.monotonicMillis();
    this.enter(head - this.position < LIVE_LAG_EVENTS ? 'live' : 'catching-up');
  }

  failed(error: unknown, attempts = this.attempts): void {
    this.attempts = attempts;
    this.lastError = {
      code: errorCode(error) ?? 'UNKNOWN',
      message: errorMessage(error),
      atMillis: this.clock.nowMillis(),
    };
  }

  /** What the wall clock said when an event was recorded, on the clock that nobody sets. An event of the future is as good as new. */
  private timeOf(recordedAtMillis: number): number {
    return this.clock.monotonicMillis() - Math.max(0, this.clock.nowMillis() - recordedAtMillis);
  }
}

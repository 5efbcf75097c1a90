import { BEFORE_FIRST_POSITION, type Position } from '@holdfast/event-store/reading';
import type { MonotonicClock } from '@holdfast/kernel';
import type { FeedBatch, ProjectionState, ProjectionStatus } from '@holdfast/projections';
import { StatusKeeper } from '@holdfast/projections/consuming';
import type { OutletHold, OutletRecord } from '../outlet-positions.js';

export type OutletState = ProjectionState | 'disabled';

/** As of a projection: lag, rate, attempts, last error. */
export interface OutletStatus extends Omit<
  ProjectionStatus,
  'version' | 'generation' | 'state' | 'appliedEvents' | 'quarantinedEvents'
> {
  readonly state: OutletState;
  /** Since the start of this process. */
  readonly deliveredEvents: number;
  /** Of `disabled` and `diverged`. */
  readonly reason: string | undefined;
}

/** Gathers what the status of an outlet tells, as a projection's is gathered. */
export class OutletStatusKeeper {
  private readonly keeper: StatusKeeper;
  private hold: OutletHold | undefined;
  private reason: string | undefined;
  private told: OutletState | undefined;

  constructor(
    name: string,
    clock: MonotonicClock,
    private readonly onState: (status: OutletStatus) => void = () => undefined,
  ) {
    this.keeper = new StatusKeeper({ name, version: 1 }, clock);
  }

  get status(): OutletStatus {
    const { name, state, position, head, lagEvents, lagSeconds, eventsPerSecond, ...rest } =
      this.keeper.status;
    const { appliedEvents, stillMillis, attempts, lastError, unheardMillis, ageMillis } = rest;
    return {
      ...{ name, position, head, lagEvents, lagSeconds, eventsPerSecond },
      ...{ stillMillis, attempts, lastError, unheardMillis, ageMillis },
      state: this.hold ?? state,
      deliveredEvents: appliedEvents,
      reason: this.reason,
    };
  }

  enter(state: ProjectionState): void {
    this.hold = this.reason = undefined;
    this.keeper.enter(state);
    this.tell();
  }

  holds({ cursor, attempts }: OutletRecord): void {
    this.keeper.holds(undefined, positionOf(cursor), attempts);
  }

  /** An operator or another process has the outlet. */
  waits({ cursor, hold, reason }: OutletRecord): void {
    this.hold = hold;
    this.reason = reason;
    this.keeper.waits(positionOf(cursor), hold === undefined ? 'waiting-for-lease' : 'paused');
    this.tell();
  }

  headIs(head: Position): void {
    this.keeper.headIs(head);
  }

  heard(batch: FeedBatch): void {
    this.keeper.heard(batch);
  }

  moved(batch: FeedBatch): void {
    this.hold = this.reason = undefined;
    this.keeper.moved(batch);
    this.tell();
  }

  caughtUp(head: Position): void {
    this.hold = this.reason = undefined;
    this.keeper.caughtUp(head);
    this.tell();
  }

  failed(error: unknown, attempts?: number): void {
    this.keeper.failed(error, attempts);
  }

  private tell(): void {
    const { status } = this;
    if (status.state === this.told) return;
    this.told = status.state;
    this.onState(status);
  }
}

function positionOf(cursor: OutletRecord['cursor']): Position {
  return cursor?.position ?? BEFORE_FIRST_POSITION;
}

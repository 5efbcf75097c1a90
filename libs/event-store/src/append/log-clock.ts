import type { MonotonicClock } from '@holdfast/kernel';
import { EventStoreError } from '../event-store.errors.js';

/** How far a clock is believed. */
export interface ClockBounds {
  /** How far the wall clock may be ahead of what the monotonic clock allows, and the log's time ahead of the wall clock. */
  readonly skewMillisMax: number;
  /** At a start: how long after the last event the wall clock may be without an operator's acceptance. */
  readonly gapMillisMax: number;
  /** Accepts, at this start, a wall clock within an hour of it. */
  readonly acceptedMillis?: number | undefined;
  /** Told when a fault begins, changes and ends. Must not throw. */
  readonly onChange?: (status: ClockStatus) => void;
}

/**
 * `gap`: at a start, the wall clock is long after the last event. `ahead`: it is ahead of what the monotonic clock allows. `behind`: the log's time is ahead
 * of it.
 */
export type ClockFault = 'gap' | 'ahead' | 'behind';

export interface ClockStatus {
  /** Why nothing is recorded, if so. */
  readonly fault: ClockFault | undefined;
  readonly wallMillis: number;
  /** What the wall clock is compared with: the time of the last event, or the time that the monotonic clock allows: with `ahead`, and with `behind` after an acceptance. */
  readonly expectedMillis: number;
}

/** What a decision takes as the present. */
export interface Present {
  /** The log's time: what is recorded now gets it. Never before the last event. */
  readonly logMillis: number;
  readonly wallMillis: number;
}

const THE_MONOTONIC_CLOCK = 'what the monotonic clock allows';
/** Of the time that an operator has named: a start a little earlier or later is the one that was meant. */
const ACCEPTANCE_MILLIS_MAX = 3_600_000;
/** How fast a wall clock that is slewed, or steps within the bound, is followed: a thousandth of the time that passes. */
const FOLLOWED_SHARE_MAX = 0.001;

/**
 * The log's time: max(last event, wall clock), as long as the wall clock can be believed.
 *
 * A time that was recorded never goes away, so one wrong second would be the log's time until the clock has come there by itself. What speaks against a wall
 * clock is the monotonic clock while the process runs, and the last event when it starts. Then nothing is recorded until the clock comes back, which heals it
 * without anybody, or until an operator accepts what it says.
 */
export class LogClock {
  /** A wall time that was believed, and the monotonic time of that moment. None before the first. */
  private anchor: { readonly wallMillis: number; readonly monotonicMillis: number } | undefined;
  /** An operator has accepted that the log's time stands still here until the wall clock has come to it. */
  private standsAtMillis = 0;
  private fault: ClockFault | undefined;

  /** `lastMillis` is the time of the last event, 0 before the first. Without bounds every clock is believed. */
  constructor(
    private readonly clock: MonotonicClock,
    private readonly bounds: ClockBounds | undefined,
    private readonly lastMillis: () => number,
  ) {
    const wallMillis = clock.nowMillis();
    const named = bounds?.acceptedMillis;
    if (named !== undefined && Math.abs(wallMillis - named) <= ACCEPTANCE_MILLIS_MAX) this.accept();
    else this.status();
  }

  present(): Present {
    const { fault, wallMillis, expectedMillis } = this.status();
    const believed = fault === 'ahead' ? expectedMillis : wallMillis;
    return { logMillis: Math.max(this.lastMillis(), believed), wallMillis };
  }

  /** Throws `EVENT_CLOCK_SKEW` while nothing may be recorded. */
  assertTrusted(): void {
    const status = this.status();
    if (status.fault !== undefined) throw clockSkew(status.fault, status, this.lastMillis());
  }

  /** What the clock says now is right, whatever spoke against it. Where it is behind the last event, the log's time stands still until it has come there. */
  accept(): ClockStatus {
    this.standsAtMillis = this.lastMillis();
    this.anchor = {
      wallMillis: this.clock.nowMillis(),
      monotonicMillis: this.clock.monotonicMillis(),
    };
    return this.status();
  }

  status(): ClockStatus {
    const lastMillis = this.lastMillis();
    const wallMillis = this.clock.nowMillis();
    const { fault, expectedMillis } = this.judged(wallMillis, lastMillis);
    const status = { fault, wallMillis, expectedMillis };
    if (fault !== this.fault) {
      this.fault = fault;
      this.bounds?.onChange?.(status);
    }
    return status;
  }

  private judged(
    wallMillis: number,
    lastMillis: number,
  ): Pick<ClockStatus, 'fault' | 'expectedMillis'> {
    const { bounds, anchor } = this;
    if (bounds === undefined) return { fault: undefined, expectedMillis: wallMillis };
    const { skewMillisMax, gapMillisMax } = bounds;
    const monotonicMillis = this.clock.monotonicMillis();
    const isBehind = lastMillis - wallMillis > skewMillisMax;
    if (isBehind && lastMillis > this.standsAtMillis)
      return { fault: 'behind', expectedMillis: lastMillis };
    if (anchor === undefined) {
      // An empty log has no gap.
      if (lastMillis > 0 && wallMillis - lastMillis > gapMillisMax)
        return { fault: 'gap', expectedMillis: lastMillis };
      this.anchor = { wallMillis, monotonicMillis };
      return { fault: undefined, expectedMillis: wallMillis };
    }
    const passedMillis = monotonicMillis - anchor.monotonicMillis;
    const expectedMillis = anchor.wallMillis + passedMillis;
    // That one time was accepted. Beside it, a wall clock that steps back has the monotonic clock against it, and no more the last event.
    if (isBehind && expectedMillis - wallMillis > skewMillisMax)
      return { fault: 'behind', expectedMillis: Math.floor(expectedMillis) };
    if (wallMillis - expectedMillis > skewMillisMax)
      return { fault: 'ahead', expectedMillis: Math.floor(expectedMillis) };
    // Small corrections must not add up to a fault over the years; a jump must not become a correction.
    const followedMillis = passedMillis * FOLLOWED_SHARE_MAX;
    const away = Math.max(-followedMillis, Math.min(followedMillis, wallMillis - expectedMillis));
    this.anchor = { wallMillis: expectedMillis + away, monotonicMillis };
    return { fault: undefined, expectedMillis: Math.floor(expectedMillis) };
  }
}

/** Names both times. */
function clockSkew(
  fault: ClockFault,
  status: Omit<ClockStatus, 'fault'>,
  lastMillis: number,
): EventStoreError {
  const clockTime = timeText(status.wallMillis);
  const expectedTime = timeText(status.expectedMillis);
  return new EventStoreError(
    'EVENT_CLOCK_SKEW',
    `the clock says ${clockTime}, which is ${skewText(fault, status.expectedMillis === lastMillis)}: ${expectedTime}; nothing was appended`,
    { fault, clockTime, expectedTime },
  );
}

function skewText(fault: ClockFault, byLastEvent: boolean): string {
  if (fault === 'gap') return 'so long after the last event that an operator must accept it';
  if (fault === 'ahead') return `ahead of ${THE_MONOTONIC_CLOCK}`;
  return `behind ${byLastEvent ? 'the last event' : THE_MONOTONIC_CLOCK}`;
}

/** As `2026-11-23T10:00:00.000Z`; the number itself where it is no date, which a clock may say. */
export function timeText(millis: number): string {
  const date = new Date(millis);
  return Number.isNaN(date.getTime()) ? String(millis) : date.toISOString();
}

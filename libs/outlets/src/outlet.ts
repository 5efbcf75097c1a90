import type { EventFilter, Position, RecordedEvent } from '@holdfast/event-store';
import type { FeedCursor } from '@holdfast/projections';

/** Another system that gets the events of a log, in order. */
export interface Outlet {
  /** Names the position, the lease, the floor and the metrics: 1 to 63 lower-case letters, digits and hyphens; the first is a letter. */
  readonly name: string;
  readonly filter?: EventFilter;
  /** The longest pause between two attempts. Default a minute. */
  readonly retryMillisMax?: number;
  /**
   * Resolves once the other side has durably taken all of them; whole commits, in log order. A rejection is retried from the same position, with back-off and jitter, in this
   * process or another: the same events may come again, also after they were taken. Gives up when the signal fires. `OUTLET_DISABLED` (`outletDisabled`) ends the attempts until
   * an operator resumes the outlet.
   */
  deliver(
    events: readonly RecordedEvent[],
    signal: AbortSignal,
    delivery: Delivery,
  ): void | Promise<void>;
  /**
   * An operator has accepted that the log was restored or replaced: what was delivered after `next` may be of a history that ended. Called before the first event of the history
   * that goes on, and again until it resolves.
   */
  historyEnded?(ended: EndedHistory, signal: AbortSignal): void | Promise<void>;
}

/** What an outlet may want to know of a delivery beside its events. */
export interface Delivery {
  readonly logId: string;
  /** Where the outlet stands: everything up to there was delivered, or left out by the filter. */
  readonly after: Position;
  /** Where it stands once these are delivered. */
  readonly upTo: Position;
  /** Of the last event that was delivered since the outlet was moved last; undefined when none was. */
  readonly delivered: Position | undefined;
  /** Failures in a row of what comes next, over all processes. */
  readonly attempts: number;
  /** Since when, by the wall clock; undefined without a failure. */
  readonly failingSinceMillis: number | undefined;
}

/** A stretch of the log that is no more. */
export interface EndedHistory {
  /** How far the outlet had come in it. */
  readonly previous: FeedCursor;
  /** Where it goes on; `position` 0 is before the first event. */
  readonly next: FeedCursor;
}

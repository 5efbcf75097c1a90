import type { EventFilter, Position, RecordedEvent } from '@holdfast/event-store';

/**
 * The position of a consumer: a place in one history of one log. A restored or replaced log has another id or timeline there, and is refused with
 * `FEED_DIVERGED`, never silently followed.
 */
export interface FeedCursor {
  readonly logId: string;
  readonly position: Position;
  /** The timeline of the segment that holds `position`; empty at position 0. */
  readonly timeline: string;
}

export interface FeedBatch {
  /**
   * In log order, whole commits. Empty when the filter left everything out (a progress batch), or when nothing happened
   * for a while (a heartbeat: the cursor has not moved, but `head` is fresh).
   */
  readonly events: readonly RecordedEvent[];
  /** The consumer's position after it has applied this batch. */
  readonly cursor: FeedCursor;
  /** The durable position of the log when this batch was made: cursor against head is the lag. */
  readonly head: Position;
}

export interface FeedOptions {
  /** Undefined: from the first event that the log still has. */
  readonly from: FeedCursor | undefined;
  readonly filter?: EventFilter;
  /** The most events in a batch; a commit is never split. Default 1,000. */
  readonly batchEvents?: number;
  /** The consumer's name, for the source's list of consumers: `ledger`, `search-index`. */
  readonly consumer?: string;
  /**
   * Makes the owner of the log keep what this consumer still needs, by its name, also while it is down. Default false. Such a consumer reports what it
   * has `applied`, and whether that is durable.
   */
  readonly keepsFloor?: boolean;
  /**
   * The consumer needs every event: without `from`, a log that no longer holds its beginning is refused with `FEED_COMPACTED` instead of being read from
   * its present beginning. Default false.
   */
  readonly whole?: boolean;
  readonly signal: AbortSignal;
}

/** Read once: a second loop over the same subscription is a bug. */
export interface FeedSubscription extends AsyncIterable<FeedBatch> {
  /**
   * Reports the position of the consumer's own state, so that the source can show its lag and keep what it still needs. `durable` (the default) means
   * that a power cut does not take the state back. Never throws and never waits; the next report makes up for a lost one.
   */
  applied(position: Position, durable?: boolean): void;
}

/**
 * Durable events, in order, from any position, then live. Two implementations share one contract: from the log's directory, and over gRPC. Ends when the
 * signal fires.
 *
 * @throws `FEED_DIVERGED`.
 * @throws `FEED_COMPACTED`: the log no longer holds what follows the cursor.
 * @throws `FEED_UNAVAILABLE`: the source cannot be reached; the caller retries from its cursor.
 */
export interface EventFeed {
  open(options: FeedOptions): FeedSubscription;
  close(): Promise<void>;
}

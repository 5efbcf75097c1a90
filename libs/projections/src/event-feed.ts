import type { EventFilter, Position, RecordedEvent } from '@holdfast/event-store';

/**
 * Where a consumer of the log stands: a place in one history of one log. A log that was restored or replaced has another
 * id or timeline there, and is refused with `FEED_DIVERGED`, never silently followed.
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
  /** Where the consumer stands once it has applied this batch. */
  readonly cursor: FeedCursor;
  /** The durable position of the log when this batch was made: cursor against head is the lag. */
  readonly head: Position;
}

export interface FeedOptions {
  /** Undefined: from the first event that the log still has. */
  readonly from: FeedCursor | undefined;
  readonly filter?: EventFilter;
  /** Most events in a batch; a commit is never split. Default 1,000. */
  readonly batchEvents?: number;
  /** Who reads, for the source's list of consumers: `ledger`, `search-index`. */
  readonly consumer?: string;
  /**
   * The owner of the log shall keep what this consumer still needs, by its name, also while it is away. Default false. Such a consumer reports
   * what it has `applied`, and whether that is durable.
   */
  readonly keepsFloor?: boolean;
  /**
   * The consumer cannot do without any event: with `from` left out, a log that no longer holds its beginning is refused with
   * `FEED_COMPACTED` instead of being read from where it begins now. Default false.
   */
  readonly whole?: boolean;
  readonly signal: AbortSignal;
}

/** Read once: a second loop over the same subscription is a bug. */
export interface FeedSubscription extends AsyncIterable<FeedBatch> {
  /**
   * Tells the source how far the consumer's own state has come, so that the source can show its lag and keep what it still needs.
   * `durable` (the default) says that a power cut does not take it back. Never throws and never waits; a lost report is made good by the next
   * one.
   */
  applied(position: Position, durable?: boolean): void;
}

/**
 * Durable events, in order, from any position, then live. Two implementations, one contract: from the log's
 * directory, and over gRPC. Ends when the signal fires. Throws `FEED_DIVERGED`; `FEED_COMPACTED` when the log no longer holds
 * what follows the cursor; `FEED_UNAVAILABLE` when the source is out of reach (the caller tries again from its cursor).
 */
export interface EventFeed {
  open(options: FeedOptions): FeedSubscription;
  close(): Promise<void>;
}

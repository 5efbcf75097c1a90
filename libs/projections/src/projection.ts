import type { RecordedEvent } from '@holdfast/event-store';

/** A named fold of events into a read model. */
export interface Projection<Transaction> {
  /** Names its tables, its lease and its metrics: lower-case letters, digits and hyphens. */
  readonly name: string;
  /** 1, 2, 3 …; raised when the tables or the meaning of their rows change. A new version is filled beside the live one. */
  readonly version: number;
  /** The event types that it gets; every other event only moves its position. At least one. */
  readonly handles: readonly string[];
  /**
   * Folds whole commits, in log order, into the read model. Everything written through `transaction` is committed together with
   * the position, or not at all. A pure function of the events: no clock, no random, nothing kept in memory
   * between calls, because a batch that failed is applied again in other portions.
   */
  apply(events: readonly RecordedEvent[], transaction: Transaction): void | Promise<void>;
}

/** A projection into tables. */
export interface SqlProjection<Transaction> extends Projection<Transaction> {
  /**
   * What makes its tables and indexes in an empty schema of its own, a statement each, run once for each time it is filled. Names that start with
   * `holdfast_` are taken.
   */
  readonly tables: readonly string[];
}

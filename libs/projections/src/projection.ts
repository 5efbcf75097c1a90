import type { RecordedEvent } from '@holdfast/event-store';

/** A named fold of events into a read model. */
export interface Projection<Transaction> {
  /** Names the tables, the lease and the metrics: 1 to 63 lower-case letters, digits and hyphens; the first is a letter. */
  readonly name: string;
  /** 1, 2, 3 …; raise it when the tables or the meaning of their rows change. A new version is filled beside the live one. */
  readonly version: number;
  /** The event types that `apply` gets, at least one. Every other event only moves the position. */
  readonly handles: readonly string[];
  /**
   * What the rows of an event belong to besides its stream: names of other streams, or any other names. A commit waits behind one in the quarantine that has a stream or a name in common with it;
   * two commits that have none make the same rows in either order. Default: nothing.
   */
  readonly touches?: (event: RecordedEvent) => readonly string[];
  /**
   * Folds whole commits, in log order, into the read model. Everything written through `transaction` is committed together with the position, or not at
   * all. A pure function of the events: no clock, no random numbers, nothing kept between calls, because a failed batch is applied again in other
   * portions.
   */
  apply(events: readonly RecordedEvent[], transaction: Transaction): void | Promise<void>;
}

/** A projection into tables. */
export interface SqlProjection<Transaction> extends Projection<Transaction> {
  /** The statements that create its tables and indexes in an empty schema, run once for each filling. Names that start with `holdfast_` are reserved. */
  readonly tables: readonly string[];
}

import type { Position } from '@holdfast/event-store';
import type { FeedCursor } from '@holdfast/projections';
import type { EndedHistory } from './outlet.js';

/** Why nothing is delivered until an operator says so. */
export type OutletHold = 'paused' | 'disabled' | 'diverged';

export interface OutletRecord {
  readonly name: string;
  /** Undefined: before the first event that the log has. */
  readonly cursor: FeedCursor | undefined;
  /** The furthest place up to which anything was ever given away in this history, also if it was not taken, or was moved back from. */
  readonly furthest: FeedCursor | undefined;
  /** The last event that was delivered since the outlet was moved last. */
  readonly delivered: Position | undefined;
  /** What weighs most, if several things hold it: diverged, disabled, paused. */
  readonly hold: OutletHold | undefined;
  /** Of `disabled` and `diverged`. */
  readonly reason: string | undefined;
  /** Failures in a row of what comes next, over all processes. */
  readonly attempts: number;
  readonly failingSinceMillis: number | undefined;
  readonly error: string | undefined;
  /** Who delivers, for people to read. */
  readonly owner: string | undefined;
  /** What the outlet has not been told yet. */
  readonly ended: EndedHistory | undefined;
}

/**
 * The durable positions of outlets, and who may deliver. What a call has resolved for survives a power cut.
 *
 * @throws `OUTLET_POSITIONS_UNAVAILABLE`, `OUTLET_POSITIONS_DAMAGED`: every method.
 */
export interface OutletPositions {
  list(): Promise<readonly OutletRecord[]>;
  load(name: string): Promise<OutletRecord | undefined>;
  /** The right to deliver. The record instead, while an operator or another process has the outlet. A name that was never heard of begins before the first event. */
  acquire(name: string, owner: string): Promise<OutletLease | OutletRecord>;
  /**
   * Goes on from there, also backward, and whatever is under way: what follows is delivered again. A new name begins there. Forgets attempts.
   *
   * @throws `OUTLET_DIVERGED`: `accept` is asked for.
   */
  move(name: string, to: FeedCursor): Promise<void>;
  /** Of one that is diverged: goes on from there in the history that the log has now, or from where it stood if that is less far. @throws `OUTLET_UNKNOWN`, `OUTLET_NOT_DIVERGED`. */
  accept(name: string, from: FeedCursor): Promise<void>;
  /** @throws `OUTLET_UNKNOWN`. */
  pause(name: string): Promise<void>;
  /** Ends a pause, and enables what was disabled. @throws `OUTLET_UNKNOWN`. */
  resume(name: string): Promise<void>;
  /** @throws `OUTLET_UNKNOWN`. */
  disable(name: string, reason: string): Promise<void>;
  /** As if it had never been. Whoever delivers is fenced. */
  remove(name: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * The right to deliver, as long as nobody has taken a higher token.
 *
 * @throws `OUTLET_FENCED`: another process has the outlet, or it was removed.
 * @throws `OUTLET_MOVED`: an operator has moved or held the outlet.
 */
export interface OutletLease {
  readonly token: number;
  /** As this lease knows it. */
  readonly record: OutletRecord;
  /** Before anything up to there is given away. */
  reach(furthest: FeedCursor): Promise<void>;
  /** Compare and set: only from where this lease left it. `delivered` is the last event's, if there was one. Forgets failures. */
  save(next: FeedCursor, delivered?: Position): Promise<void>;
  /** Looks that nobody has changed anything, and stays the holder for longer. */
  renew(): Promise<void>;
  /** Counts, durably. */
  recordFailure(error: string): Promise<OutletRecord>;
  /** Nothing more until an operator decides. */
  hold(hold: 'disabled' | 'diverged', reason: string): Promise<void>;
  /** The outlet knows of the history that ended. */
  toldOfEnd(): Promise<void>;
  /** Never throws. */
  release(): Promise<void>;
}

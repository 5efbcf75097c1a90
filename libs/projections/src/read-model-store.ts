import type { Position } from '@holdfast/event-store';
import type { FeedCursor } from './event-feed.js';
import type { Projection } from './projection.js';

/** Which tables a worker wants to fill: those that queries see, or fresh ones beside them. */
export type ReadModelTarget = 'live' | 'fresh';

export interface AcquireOptions {
  /** Who asks, for people to read: host, process. */
  readonly owner: string;
  /** Default `live`. */
  readonly target?: ReadModelTarget;
  /** Called at each look, several times a second, while another worker holds the lease and this one waits; with how far that one has come. */
  readonly onWaiting?: (holder: string, cursor: FeedCursor | undefined) => void;
  readonly signal: AbortSignal;
}

/**
 * The read model of one projection, with the projection's position inside it. A generation is one full set of its tables:
 * one is live, another may be filled beside it. Implementations share `testing/read-model.contract.ts`.
 */
export interface ReadModelStore<Transaction> {
  readonly projection: Projection<Transaction>;
  /**
   * Waits until no other worker holds the lease, then takes it. The live generation of this version of the projection;
   * a fresh one (`promoted` is false) when asked for, when the live one is of another version, or when there is none: queries see nothing before it has
   * caught up once. A fresh one that was left half filled is taken up again. Undefined when the signal fired first. Throws `READ_MODEL_UNAVAILABLE`, also when somebody who is no worker keeps it locked.
   */
  acquire(options: AcquireOptions): Promise<ReadModelLease<Transaction> | undefined>;
  /** A hash over the contents of the live generation's tables: equal if and only if the rows are. */
  digest(): Promise<ReadModelDigest>;
  close(): Promise<void>;
}

/** How often the next commit has failed, over all processes that tried it. */
export interface FailedAttempts {
  readonly attempts: number;
  /** The position that was being applied from. */
  readonly after: Position;
  readonly error: string;
}

/** The right to move one generation of a read model on, until another worker's higher token fences it. */
export interface ReadModelLease<Transaction> {
  /** Higher with each acquisition; part of each commit's condition. */
  readonly token: number;
  readonly generation: number;
  /** Whether queries see this generation. */
  readonly promoted: boolean;
  /** Undefined before the first commit. */
  readonly cursor: FeedCursor | undefined;
  readonly failure: FailedAttempts | undefined;
  /**
   * Runs `work` and moves the cursor from where it stands to `to` in one transaction, and clears the failure. Nothing is kept
   * when `work` throws (its error is passed on), or when the token or the previous position is no longer ours:
   * `READ_MODEL_FENCED`, `READ_MODEL_CONFLICT`. Throws `READ_MODEL_UNAVAILABLE` for a full or failing disk and the like.
   */
  transact(to: FeedCursor, work: (transaction: Transaction) => void | Promise<void>): Promise<void>;
  /** Keeps the lease while there is nothing to commit. Throws `READ_MODEL_FENCED`. */
  renew(): Promise<void>;
  /** Counts a failure durably, so that a crash does not forget it. Throws `READ_MODEL_FENCED`. */
  recordFailure(error: string): Promise<FailedAttempts>;
  /**
   * Makes this generation the one that queries see, in one transaction. Stops the live generation's worker first, and
   * refuses while that one is further on, so that no query ever goes back in time: the answer then names the position to
   * reach before asking again. Tables that are further on in a history which is no more are no reason to wait: `hasDiverged` tells of where they stand, when left out of none. Whose token, version and position were compared is looked at again where nobody can change them until the switch is made.
   * Throws `READ_MODEL_FENCED` when this generation was given up meanwhile.
   */
  promote(hasDiverged?: HasDiverged): Promise<Promotion>;
  /** Queries get `READ_MODEL_NOT_READY` with this reason instead of answers, until `accept`; a restart does not forget it. Throws `READ_MODEL_FENCED`. */
  refuse(reason: string): Promise<void>;
  /** What the generation was filled from is what the worker follows. */
  accept(): Promise<void>;
  /** Queries see this generation no more, and the next `acquire` begins a fresh one. Throws `READ_MODEL_FENCED`. */
  giveUp(): Promise<void>;
  release(): Promise<void>;
}

/** Whether the log is known not to be of the history that this cursor was read from. */
export type HasDiverged = (cursor: FeedCursor) => Promise<boolean>;

export type Promotion =
  { readonly promoted: true } | { readonly promoted: false; readonly behind: Position };

export interface TableDigest {
  readonly rows: number;
  /** Hex SHA-256 sums; the same for the same rows in any order. */
  readonly sha256: string;
}

export interface ReadModelDigest {
  readonly cursor: FeedCursor | undefined;
  readonly tables: Readonly<Record<string, TableDigest>>;
  /** Over all tables, without the cursor. */
  readonly sha256: string;
}

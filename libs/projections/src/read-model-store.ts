import type { Position } from '@holdfast/event-store';
import type { FeedCursor } from './event-feed.js';
import type { Projection } from './projection.js';
import type { LeasedQuarantine, QuarantineChange, StoredQuarantine } from './quarantined-commit.js';

/** Which tables a worker wants to fill: those that queries see, or fresh ones beside them. */
export type ReadModelTarget = 'live' | 'fresh';

export interface AcquireOptions {
  /** The name of the worker, for people to read: host, process. */
  readonly owner: string;
  /** Default `live`. */
  readonly target?: ReadModelTarget;
  /** Called several times per second while another worker holds the lease and this one waits, with the holder's position. */
  readonly onWaiting?: (holder: string, cursor: FeedCursor | undefined) => void;
  /** Called several times per second while the projection is paused and this worker waits, with where its tables stand. */
  readonly onPaused?: (cursor: FeedCursor | undefined) => void;
  readonly signal: AbortSignal;
}

/**
 * The read model of one projection, with the projection's position inside it. A generation is one full set of the tables of one version:
 * one is live, another may be filled beside it. The tables of an older version go after a grace time, once nobody keeps them. Implementations share `testing/read-model.contract.ts`.
 */
export interface ReadModelStore<Transaction> {
  readonly projection: Projection<Transaction>;
  readonly quarantine: StoredQuarantine;
  /**
   * Waits until no other worker holds the lease, then takes it: for the live generation of this version of the projection, or for a fresh one
   * (`promoted` is false) if requested or if there is none. Queries see nothing of a fresh one before it has
   * caught up once. A half-filled one is continued. Generations of other versions stand beside it, each with its own worker, and are served. Waits too while the projection is
   * paused, unless it is to be rebuilt (`fresh`). Undefined if the signal fired first.
   *
   * @throws `READ_MODEL_NEWER`: a newer version has tables, and this one has none to go on with.
   * @throws `READ_MODEL_UNAVAILABLE`, also if another program keeps it locked.
   */
  acquire(options: AcquireOptions): Promise<ReadModelLease<Transaction> | undefined>;
  /** Every version's generations that are not on their way out, by number. None, and nothing is made, where there is no read model yet. */
  generations(): Promise<readonly GenerationStatus[]>;
  /** Whether `setPaused` keeps its workers from applying anything. */
  paused(): Promise<boolean>;
  /**
   * Durably, for the workers of every version: one with a lease gets `READ_MODEL_PAUSED` when it renews that, one without waits in `acquire`. Queries go on with what is there, and a rebuild goes
   * on too. False where there is no read model yet.
   *
   * @throws `READ_MODEL_UNAVAILABLE`.
   */
  setPaused(paused: boolean): Promise<boolean>;
  /**
   * Takes a generation away, whoever holds it: its worker is fenced, queries see it no more, and its tables are removed after the grace time. A worker of the same version begins another one. False
   * when there is no such generation any more.
   *
   * @throws `READ_MODEL_UNAVAILABLE`.
   */
  drop(generation: number): Promise<boolean>;
  /** A hash over the contents of the live generation's tables: equal if and only if the rows are. */
  digest(): Promise<ReadModelDigest>;
  close(): Promise<void>;
}

/** One set of tables, for people to read. */
export interface GenerationStatus {
  readonly generation: number;
  readonly version: number;
  readonly state: 'filling' | 'live';
  /** When it became the live one of its version; undefined of one that is being filled, and where it is not known. */
  readonly promotedAtMillis: number | undefined;
  /** Undefined before the first commit, and where the tables cannot be read now. */
  readonly cursor: FeedCursor | undefined;
  /** The worker that keeps it up, if one does. */
  readonly owner: string | undefined;
  /** Why queries do not see it, if its worker has said so. */
  readonly refusal: string | undefined;
  /** Events that wait in its quarantine. */
  readonly quarantinedEvents: number;
}

/** How often the next commit has failed, over all processes that tried it. */
export interface FailedAttempts {
  readonly attempts: number;
  /** The position that was being applied from. */
  readonly after: Position;
  readonly error: string;
}

/** The right to advance one generation of a read model, until another worker's higher token fences it. */
export interface ReadModelLease<Transaction> {
  /** Higher with each acquisition; part of each commit's condition. */
  readonly token: number;
  readonly generation: number;
  /** Whether queries see this generation. */
  readonly promoted: boolean;
  /** Undefined before the first commit. */
  readonly cursor: FeedCursor | undefined;
  readonly failure: FailedAttempts | undefined;
  readonly quarantine: LeasedQuarantine;
  /**
   * Runs `work`, moves the cursor to `to` and clears the failure, and changes the quarantine, all in one transaction. Without `to` the cursor and the failure stay. Nothing is kept
   * if `work` throws; its error is passed on.
   *
   * @throws `READ_MODEL_FENCED`, `READ_MODEL_CONFLICT`: the token or the previous position is no longer ours.
   * @throws `READ_MODEL_UNAVAILABLE`: a full or failing disk, for example.
   */
  transact(
    to: FeedCursor | undefined,
    work: (transaction: Transaction) => void | Promise<void>,
    changes?: readonly QuarantineChange[],
  ): Promise<void>;
  /** Keeps the lease while there is nothing to commit. Called with each commit too. Throws `READ_MODEL_FENCED`; `READ_MODEL_PAUSED` of a lease that was not taken for a rebuild. */
  renew(): Promise<void>;
  /** Counts a failure durably, so that a crash does not forget it. Throws `READ_MODEL_FENCED`. */
  recordFailure(error: string): Promise<FailedAttempts>;
  /**
   * Makes this generation the one that queries of its version see, in one transaction. Stops the live generation's worker first, and refuses while that one is ahead,
   * so that no query goes back in time; the result then names the position to reach first. The same of older versions, whose workers go on. Tables that are ahead in an ended history do not count:
   * `hasDiverged` decides that from their position (default: never); those of older versions are refused. Token, version and position are compared again once nothing can change them until
   * the switch. `lastLook` comes when the live generation's worker is stopped and everything else allows the switch; what it throws forbids it, and is passed on.
   *
   * @throws `READ_MODEL_FENCED`: this generation was given up meanwhile.
   */
  promote(hasDiverged?: HasDiverged, lastLook?: () => Promise<void>): Promise<Promotion>;
  /**
   * Queries get `READ_MODEL_NOT_READY` with this reason instead of answers, until `accept`, also after a restart.
   *
   * @throws `READ_MODEL_FENCED`.
   */
  refuse(reason: string): Promise<void>;
  /** Accepts that the generation was filled from the log that the worker follows. */
  accept(): Promise<void>;
  /**
   * Hides this generation from queries; the next `acquire` begins a fresh one.
   *
   * @throws `READ_MODEL_FENCED`.
   */
  giveUp(): Promise<void>;
  release(): Promise<void>;
}

/** Whether the log is known to have another history than this cursor. */
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

import type { Position } from '@holdfast/event-store';
import { type Clock, type CodedError, assert } from '@holdfast/kernel';
import type { EventFeed } from './event-feed.js';
import type { ReadModelStore } from './read-model-store.js';

/** What to do when `apply` throws. `retry` backs off, counts durably, and stops after the last attempt. */
export type BadEventPolicy =
  { readonly kind: 'stop' } | { readonly kind: 'retry'; readonly attempts: number };

export type ProjectionState =
  | 'starting'
  | 'waiting-for-lease'
  | 'catching-up'
  | 'live'
  | 'feed-unavailable'
  | 'store-unavailable'
  | 'retrying'
  | 'stopped'
  | 'failed';

export interface ProjectionStatus {
  readonly name: string;
  readonly version: number;
  readonly state: ProjectionState;
  /** Durable in the read model; 0 before the first event. */
  readonly position: Position;
  /** The log's durable position when last heard of. */
  readonly head: Position;
  readonly lagEvents: number;
  /** An upper bound of the age of the oldest event not yet applied; 0 when caught up. */
  readonly lagSeconds: number;
  /** Over the last seconds. */
  readonly eventsPerSecond: number;
  /** Events handed to `apply` and committed since the start of this process. */
  readonly appliedEvents: number;
  /** The last failure, also when it has been overcome since. */
  readonly lastError:
    { readonly code: string; readonly message: string; readonly atMillis: number } | undefined;
}

export interface ProjectionRunnerOptions<Transaction> {
  readonly feed: EventFeed;
  readonly store: ReadModelStore<Transaction>;
  /** Default `stop`. */
  readonly badEvents?: BadEventPolicy;
  /** Most events in one transaction when nearly caught up; ten times as many when far behind. Default 1,000. */
  readonly batchEvents?: number;
  /** Who holds the lease, for people to read. Default host and process id. */
  readonly owner?: string;
  /** Called after each change of state: what to log. */
  readonly onState?: (status: ProjectionStatus) => void;
  readonly clock?: Clock;
}

/** Follows a feed into a read model, exactly once, from where the read model stands. */
export class ProjectionRunner<Transaction> {
  constructor(options: ProjectionRunnerOptions<Transaction>) {
    notBuiltYet(options);
  }

  get status(): ProjectionStatus {
    return notBuiltYet();
  }

  /** The error that ended it, if one did. */
  get failure(): CodedError | undefined {
    return notBuiltYet();
  }

  /**
   * Runs until the signal fires (resolves between two batches) or something that trying again cannot mend happens
   * (rejects): `FEED_DIVERGED`, `FEED_COMPACTED`, `PROJECTION_FAILED` for an event that `apply` refuses.
   */
  run(signal: AbortSignal): Promise<void> {
    return notBuiltYet(signal);
  }

  /** True once the read model has durably reached the position; false when that took too long. */
  waitFor(position: Position, timeoutMillis: number): Promise<boolean> {
    return notBuiltYet(position, timeoutMillis);
  }
}

function notBuiltYet(...context: unknown[]): never {
  assert(false, `not built yet: ${context.length}`);
}

import type { Position } from '@holdfast/event-store';
import { errorCode, errorMessage } from '@holdfast/kernel';
import { BatchGatherer } from './batch-gatherer.js';
import type { EventFeed, FeedBatch, FeedCursor, FeedSubscription } from '../event-feed.js';
import { firstBatch } from './first-batch.js';
import type { Projection } from '../projection.js';
import { LIVE_LAG_EVENTS, type StatusKeeper } from './projection-status.js';
import type { Quarantine } from './quarantine.js';
import type { ReadModelLease } from '../read-model-store.js';

/** `apply` refused a batch. In a careful pass that is one commit. */
export class BatchRefused extends Error {
  override readonly name = 'BatchRefused';

  constructor(
    readonly batch: FeedBatch,
    readonly careful: boolean,
    override readonly cause: unknown,
  ) {
    super(errorMessage(cause));
  }
}

/** What has to wait of a batch shows only commit by commit. */
export class CommitsUnclear extends Error {
  override readonly name = 'CommitsUnclear';

  constructor(readonly batch: FeedBatch) {
    super('a batch is taken commit by commit');
  }
}

export interface PassOptions<Transaction> {
  readonly feed: EventFeed;
  readonly projection: Projection<Transaction>;
  readonly lease: ReadModelLease<Transaction>;
  readonly quarantine: Quarantine<Transaction>;
  readonly status: StatusKeeper;
  readonly batchEvents: number;
  /** Up to this position one commit at a time, to find the one that is refused. */
  readonly carefulTo: Position;
  /** Ends once the lease's tables are the live ones. */
  readonly endWhenPromoted: boolean;
  /** Throws when queries must not go over to the lease's tables. */
  readonly onPromotion: () => Promise<void>;
  /** The feed works. */
  readonly onBatch: () => void;
  /** After each commit to the tables that queries see, and when these take over. */
  readonly onMoved: (position: Position) => void;
  readonly signal: AbortSignal;
}

/** How often a lease is looked after while nothing comes. */
const QUIET_MILLIS = 500;
/** How long a feed may take to say whether a cursor is of its log. No lease runs out meanwhile. */
const ASKING_MILLIS = 1_000;

/**
 * One subscription into one lease, from where the lease stands until the signal fires, the careful stretch is behind, or
 * something fails: then the next pass starts from what is durable.
 */
export class ProjectionPass<Transaction> {
  /** Where fresh tables may be switched to: the log's end when it came near, then what the live tables had. */
  private promoteFrom: Position | undefined;

  constructor(private readonly options: PassOptions<Transaction>) {}

  /** Throws what the feed and the lease throw, `BatchRefused` and `CommitsUnclear`. */
  async run(): Promise<void> {
    // Its own signal, so that a pass that ends for its own reasons leaves no subscription behind.
    const leaving = new AbortController();
    const leave = () => leaving.abort();
    const { signal } = this.options;
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
    const subscription = this.subscribe(leaving.signal);
    const batches = new BatchGatherer(subscription, this.careful ? 1 : this.options.batchEvents);
    try {
      await this.follow(batches, subscription);
    } finally {
      signal.removeEventListener('abort', leave);
      leave();
      // Its files and its reports end here, and not at the next restart.
      await batches.close();
    }
  }

  private subscribe(signal: AbortSignal): FeedSubscription {
    const { feed, projection, lease, batchEvents } = this.options;
    return feed.open({
      from: lease.cursor,
      filter: { types: projection.handles },
      batchEvents: this.careful ? 1 : batchEvents,
      consumer: projection.name,
      keepsFloor: true,
      // A read model that lacks its beginning looks whole and is wrong.
      whole: true,
      signal,
    });
  }

  private async follow(batches: BatchGatherer, subscription: FeedSubscription): Promise<void> {
    const { lease, signal, carefulTo } = this.options;
    const { careful } = this;
    let accepted = false;
    const ended = () => signal.aborted;
    while (!ended()) {
      const batch = await batches.next(QUIET_MILLIS);
      if (batch === undefined || ended()) return;
      // Whoever gets a batch has been accepted, also with a cursor that another feed refused.
      if (batch !== 'quiet' && !accepted) {
        await lease.accept();
        // Before there is no room for more.
        await this.serveQuarantine(false);
        accepted = true;
      }
      if (batch !== 'quiet') await this.take(batch, careful, subscription);
      await lease.renew();
      await this.serveQuarantine(batch === 'quiet');
      if (this.options.endWhenPromoted && lease.promoted) return;
      if (careful && lease.cursor !== undefined && lease.cursor.position >= carefulTo) return;
    }
  }

  private async serveQuarantine(isQuiet: boolean): Promise<void> {
    const { quarantine, status, signal } = this.options;
    // Of an empty one only an order that came too late is to be found.
    if (quarantine.waiting.length > 0 || isQuiet) await quarantine.serve(signal);
    status.quarantines(quarantine.events);
  }

  private async take(
    batch: FeedBatch,
    careful: boolean,
    subscription: FeedSubscription,
  ): Promise<void> {
    const { status, lease } = this.options;
    status.heard(batch);
    this.options.onBatch();
    if (isSame(batch.cursor, lease.cursor)) status.caughtUp(batch.head);
    else await this.apply(batch, careful, subscription);
    if (!lease.promoted) await this.promoteIfCaughtUp(batch, subscription);
  }

  private async apply(
    batch: FeedBatch,
    careful: boolean,
    subscription: FeedSubscription,
  ): Promise<void> {
    const { lease, projection, status, onMoved } = this.options;
    const divided = this.options.quarantine.divide(batch.events, careful);
    if (divided === undefined) throw new CommitsUnclear(batch);
    const { applied, changes } = divided;
    try {
      await lease.transact(
        batch.cursor,
        (transaction) =>
          applied.length === 0 ? undefined : projection.apply(applied, transaction),
        changes,
      );
    } catch (error) {
      if (errorCode(error)?.startsWith('READ_MODEL_') === true) throw error;
      throw new BatchRefused(batch, careful, error);
    }
    status.moved({ ...batch, events: applied });
    const { position } = batch.cursor;
    const { promoted } = lease;
    if (promoted) onMoved(position);
    // Tables that are being filled are synced when they take over, and not before.
    subscription.applied(position, promoted);
  }

  private async promoteIfCaughtUp(
    { cursor, head }: FeedBatch,
    subscription: FeedSubscription,
  ): Promise<void> {
    if (head - cursor.position < LIVE_LAG_EVENTS) this.promoteFrom ??= head;
    if (this.promoteFrom === undefined || cursor.position < this.promoteFrom) return;
    const { lease, onPromotion } = this.options;
    const promotion = await lease.promote((theirs) => this.hasDiverged(theirs), onPromotion);
    if (!promotion.promoted) {
      // What is beyond the log's end may never come: the next batch asks again.
      this.promoteFrom = Math.min(promotion.behind, head) as Position;
      return;
    }
    this.options.onMoved(cursor.position);
    subscription.applied(cursor.position);
  }

  private async hasDiverged(theirs: FeedCursor): Promise<boolean> {
    const { feed, signal } = this.options;
    try {
      await firstBatch(feed, theirs, ASKING_MILLIS, signal);
      return false;
    } catch (error) {
      // Whatever else hinders the feed, this pass hears of by itself.
      return errorCode(error) === 'FEED_DIVERGED';
    }
  }

  private get careful(): boolean {
    return (this.options.lease.cursor?.position ?? 0) < this.options.carefulTo;
  }
}

function isSame(cursor: FeedCursor, other: FeedCursor | undefined): boolean {
  return other !== undefined && cursor.logId === other.logId && cursor.position === other.position;
}

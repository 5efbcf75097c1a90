import { BEFORE_FIRST_POSITION } from '@holdfast/event-store/reading';
import { errorMessage } from '@holdfast/kernel';
import type { EventFeed, FeedBatch, FeedSubscription } from '@holdfast/projections';
import { BatchGatherer, firstBatch } from '@holdfast/projections/consuming';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Delivery, Outlet } from '../outlet.js';
import type { HeldLease } from './held-lease.js';
import type { OutletStatusKeeper } from './outlet-status.js';

/** The outlet did not take what came next, or its note that a history ended. */
export class DeliveryFailed extends Error {
  override readonly name = 'DeliveryFailed';

  constructor(override readonly cause: unknown) {
    super(errorMessage(cause));
  }
}

export interface OutletPassOptions {
  readonly feed: EventFeed;
  readonly outlet: Outlet;
  readonly held: HeldLease;
  readonly status: OutletStatusKeeper;
  readonly batchEvents: number;
  /** The feed works. */
  readonly onBatch: () => void;
}

/** Of the list of consumers and their floors: apart from projections, which may have the same name. */
export const OUTLET_CONSUMER_PREFIX = 'outlet-';
/** How long a feed may take to say whether a cursor is of its log. */
const ASKING_MILLIS = 1_000;
const QUIET_MILLIS = 500;
/** An outlet that does not give up when it is told to is left alone after this long, or no process could stop. */
const GIVE_UP_MILLIS = 5_000;

/** One subscription into one lease, from where the lease stands until the signal fires or something fails: then the next pass starts from what is durable. */
export class OutletPass {
  constructor(private readonly options: OutletPassOptions) {}

  /** Throws what the feed and the lease throw, and `DeliveryFailed`. */
  async run(): Promise<void> {
    const { feed, outlet, held, batchEvents } = this.options;
    if (!(await this.isOfThisHistory())) return;
    // Its own signal, so that a pass that fails leaves no subscription behind.
    const leaving = new AbortController();
    const leave = () => leaving.abort();
    held.signal.addEventListener('abort', leave, { once: true });
    if (held.signal.aborted) leave();
    const subscription = feed.open({
      from: held.lease.record.cursor,
      ...(outlet.filter && { filter: outlet.filter }),
      batchEvents,
      consumer: `${OUTLET_CONSUMER_PREFIX}${outlet.name}`,
      keepsFloor: true,
      signal: leaving.signal,
    });
    const batches = new BatchGatherer(subscription, batchEvents);
    try {
      await this.follow(batches, subscription);
      held.assertHeld();
    } finally {
      held.signal.removeEventListener('abort', leave);
      leave();
      await batches.close();
    }
  }

  /**
   * What was given away beyond where the outlet stands may have been taken back by a restore, though its position was not. Throws `FEED_DIVERGED`; false when the feed takes too
   * long to say.
   */
  private async isOfThisHistory(): Promise<boolean> {
    const { feed, held } = this.options;
    const { furthest, cursor } = held.lease.record;
    if (furthest === undefined || furthest.position <= (cursor?.position ?? 0)) return true;
    return (await firstBatch(feed, furthest, ASKING_MILLIS, held.signal)) !== undefined;
  }

  private async follow(batches: BatchGatherer, subscription: FeedSubscription): Promise<void> {
    const { held } = this.options;
    const ended = () => held.signal.aborted;
    while (!ended()) {
      const batch = await batches.next(QUIET_MILLIS);
      if (batch === undefined || ended()) return;
      if (batch !== 'quiet') await this.take(batch, subscription);
    }
  }

  private async take(batch: FeedBatch, subscription: FeedSubscription): Promise<void> {
    const { status, held, onBatch } = this.options;
    const { cursor, ended } = held.lease.record;
    status.heard(batch);
    onBatch();
    // Whoever gets a batch has been accepted: this is the history that goes on.
    if (ended !== undefined) {
      await this.attempt((signal) => this.options.outlet.historyEnded?.(ended, signal));
      await held.lease.toldOfEnd();
    }
    const stands = cursor?.logId === batch.cursor.logId && cursor.position;
    if (stands === batch.cursor.position) status.caughtUp(batch.head);
    else await this.deliver(batch, subscription);
  }

  private async deliver(batch: FeedBatch, subscription: FeedSubscription): Promise<void> {
    const { outlet, held, status } = this.options;
    const { events, cursor } = batch;
    if (events.length > 0) {
      const { furthest } = held.lease.record;
      // Crash here: whatever of it was taken is known to have been given away.
      if (cursor.position > (furthest?.position ?? 0)) await held.lease.reach(cursor);
      await this.attempt((signal) => outlet.deliver(events, signal, this.delivery(batch)));
    }
    // Crash here: these events are delivered again.
    await held.lease.save(cursor, events.at(-1)?.position);
    status.moved(batch);
    subscription.applied(cursor.position);
  }

  private delivery({ cursor: { logId, position } }: FeedBatch): Delivery {
    const { cursor, delivered, attempts, failingSinceMillis } = this.options.held.lease.record;
    const after = cursor?.position ?? BEFORE_FIRST_POSITION;
    return { logId, after, upTo: position, delivered, attempts, failingSinceMillis };
  }

  private async attempt(work: (signal: AbortSignal) => void | Promise<void>): Promise<void> {
    const { held } = this.options;
    const done = new AbortController();
    try {
      await Promise.race([
        Promise.resolve().then(() => work(held.signal)),
        this.abandoned(done.signal),
      ]);
    } catch (error) {
      held.assertHeld();
      throw held.signal.aborted ? new Stopped() : new DeliveryFailed(error);
    } finally {
      done.abort();
    }
  }

  private async abandoned(done: AbortSignal): Promise<never> {
    const { signal } = this.options.held;
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true, signal: done });
    });
    await sleep(GIVE_UP_MILLIS, undefined, { signal: done });
    throw new Stopped();
  }
}

/** A delivery that was given up because the runner stops: no failure of the outlet. */
export class Stopped extends Error {
  override readonly name = 'Stopped';
}

import type { EventBatch, EventSource, Position, RecordedEvent } from '@holdfast/event-store';
import { BEFORE_FIRST_POSITION } from '@holdfast/event-store/reading';
import { type Clock, assert, defined, errorCode, systemClock } from '@holdfast/kernel';
import { setTimeout as sleep } from 'node:timers/promises';
import type {
  EventFeed,
  FeedBatch,
  FeedCursor,
  FeedOptions,
  FeedSubscription,
} from '../event-feed.js';
import { type ConnectedConsumer, FeedConsumers, newConsumer } from './feed-consumers.js';
import { divergenceOf } from './divergence.js';
import { feedCompacted, feedUnavailable, isPassing } from '../feed.errors.js';
import { PatientIterator } from './patient-iterator.js';

/** An idle feed says so this often, unless told otherwise. */
export const HEARTBEAT_MILLIS = 1_000;
/** A filtered feed tells its progress at most this often … */
export const PROGRESS_MILLIS = 50;
/** … or each time so many positions were left out. */
export const PROGRESS_POSITIONS = 10_000;
/** How often to look whether a cursor above the visible bound has become visible … */
const VISIBILITY_POLL_MILLIS = 10;
/** … and for how long, unless told otherwise. A watermark lags by one commit, or until the writer's next start: the consumer comes again. */
const VISIBILITY_MILLIS_MAX = 5_000;

export interface SourceFeedOptions {
  /** An idle feed yields an empty batch this often. Default 1,000. */
  readonly heartbeatMillis?: number;
  /** Lists who reads. Those of the log when left out: `FeedConsumers.of`. */
  readonly consumers?: FeedConsumers;
  readonly clock?: Clock;
  /** How long a cursor above the visible bound may take to become visible before it is `FEED_UNAVAILABLE`. Default 5,000. */
  readonly visibilityMillisMax?: number;
}

/** The feed on an open log: the writer's own in its process, or a reader. It does not close the log. */
export class SourceFeed implements EventFeed {
  private readonly heartbeatMillis: number;
  private readonly consumers: FeedConsumers;
  private readonly clock: Clock;
  private readonly closing = new AbortController();

  constructor(
    private readonly source: EventSource,
    private readonly options: SourceFeedOptions = {},
  ) {
    this.heartbeatMillis = options.heartbeatMillis ?? HEARTBEAT_MILLIS;
    this.consumers = options.consumers ?? FeedConsumers.of(source);
    this.clock = options.clock ?? systemClock;
  }

  open(options: FeedOptions): FeedSubscription {
    const consumer = newConsumer(options.consumer, 'local', this.clock);
    consumer.appliedPosition = options.from?.position ?? BEFORE_FIRST_POSITION;
    consumer.durablePosition = consumer.appliedPosition;
    return {
      [Symbol.asyncIterator]: () => this.deliver(options, consumer),
      applied: (position, durable = true) => {
        consumer.appliedPosition = position;
        if (durable) consumer.durablePosition = position;
      },
    };
  }

  /** Ends every subscription. */
  close(): Promise<void> {
    this.closing.abort();
    return Promise.resolve();
  }

  /** Where a consumer stands that has seen everything up to a visible position. */
  cursorAt(position: Position): FeedCursor {
    const timeline =
      position === BEFORE_FIRST_POSITION
        ? ''
        : defined(this.source.timelineAt(position), 'the timeline of a visible position');
    return { logId: this.source.logId, position, timeline };
  }

  /** Throws `FEED_DIVERGED`, `FEED_COMPACTED`, `FEED_UNAVAILABLE`, for a cursor that is not of the visible part of this log. */
  assertOwn(cursor: FeedCursor): void {
    this.assertNotDiverged(cursor);
    if (cursor.position > this.source.durablePosition) throw this.notVisible(cursor);
    this.assertThere(cursor, false);
  }

  /** The same, for a cursor that may take as long to become visible as one that is opened. Returns when the signal fires as well. */
  async whenOwn(cursor: FeedCursor, signal: AbortSignal): Promise<void> {
    await this.untilVisible(cursor, signal);
    if (!signal.aborted) this.assertThere(cursor, false);
  }

  private async *deliver(
    options: FeedOptions,
    consumer: ConnectedConsumer,
  ): AsyncGenerator<FeedBatch, void> {
    // A consumer that leaves its loop without its signal having fired must end the source's waiting too.
    const ending = new AbortController();
    const end = () => ending.abort();
    const signals = [options.signal, this.closing.signal];
    for (const signal of signals) signal.addEventListener('abort', end, { once: true });
    if (signals.some((signal) => signal.aborted)) end();
    this.consumers.add(consumer);
    try {
      const from = options.from ?? this.cursorAt(BEFORE_FIRST_POSITION);
      await this.untilVisible(from, ending.signal);
      if (ending.signal.aborted) return;
      this.assertThere(from, options.whole ?? false);
      // Not before: a consumer that is refused must not hold what it will never read.
      consumer.keepsFloor = options.keepsFloor ?? false;
      for await (const batch of this.follow(from, { ...options, signal: ending.signal })) {
        consumer.sentPosition = batch.cursor.position;
        yield batch;
      }
    } finally {
      end();
      for (const signal of signals) signal.removeEventListener('abort', end);
      this.consumers.remove(consumer);
    }
  }

  /**
   * Waits for what this consumer has seen and the watermark does not tell yet. Nothing is yielded meanwhile, because whoever gets a batch has been
   * accepted. Throws `FEED_DIVERGED`; `FEED_UNAVAILABLE` when it takes too long.
   */
  private async untilVisible(from: FeedCursor, signal: AbortSignal): Promise<void> {
    const { visibilityMillisMax = VISIBILITY_MILLIS_MAX } = this.options;
    const deadline = performance.now() + visibilityMillisMax;
    while (!signal.aborted) {
      this.assertNotDiverged(from);
      if (from.position <= this.source.durablePosition) return;
      if (performance.now() >= deadline) throw this.notVisible(from);
      await sleep(VISIBILITY_POLL_MILLIS);
    }
  }

  private assertNotDiverged(cursor: FeedCursor): void {
    const divergence = divergenceOf(this.source, cursor);
    if (divergence !== undefined) throw divergence;
  }

  private notVisible({ position }: FeedCursor): Error {
    const problem = `it shows no more than position ${this.source.durablePosition}, and this consumer has seen ${position}`;
    return feedUnavailable('the log', problem);
  }

  /** Of a cursor that has not diverged and is not beyond the end: whether what follows it is still there. */
  private assertThere(from: FeedCursor, whole: boolean): void {
    const { firstPosition } = this.source;
    const atStart = from.position === BEFORE_FIRST_POSITION;
    // The event at the cursor itself may be gone: only what follows it is needed. But where the log does not remember of which history that event was, it may have been one that was taken back.
    const isForgotten = this.source.timelineAt(from.position) === undefined;
    const gone =
      firstPosition !== undefined && from.position + (isForgotten ? 0 : 1) < firstPosition;
    if (gone && (whole || !atStart)) throw feedCompacted(from, firstPosition);
  }

  private async *follow(from: FeedCursor, options: FeedOptions): AsyncGenerator<FeedBatch> {
    const { filter, batchEvents, signal } = options;
    const subscription = this.source.subscribe({
      after: from.position,
      signal,
      ...(filter && { filter }),
      ...(batchEvents !== undefined && { batchEvents }),
    });
    const arrivals = new PatientIterator(subscription[Symbol.asyncIterator]());
    try {
      yield* this.batchesOf(arrivals, from, signal);
    } finally {
      // A source that is left between two batches must end its subscription too.
      void arrivals.close();
    }
  }

  private async *batchesOf(
    arrivals: PatientIterator<EventBatch>,
    from: FeedCursor,
    signal: AbortSignal,
  ): AsyncGenerator<FeedBatch> {
    let stands = from;
    let examined = from.position;
    let toldAt = performance.now() - PROGRESS_MILLIS;
    // A consumer that has everything hears so at once.
    if (from.position >= this.source.durablePosition) yield this.batchOf([], from);
    for (;;) {
      const quietMillis = performance.now() - toldAt;
      const patience =
        examined > stands.position ? PROGRESS_MILLIS - quietMillis : this.heartbeatMillis;
      const arrival = await arrivals
        .next(Math.max(0, patience))
        .catch((error: unknown) => throwAsOurs(error, stands));
      if (signal.aborted) return;
      if (arrival?.done === true) throw feedUnavailable('the log', 'it was closed');
      assert(
        arrival === undefined || arrival.value.position >= examined,
        'a source never goes back',
      );
      examined = arrival?.value.position ?? examined;
      const events = arrival?.value.events ?? [];
      const leftOut = examined - stands.position;
      if (arrival !== undefined && events.length === 0 && !tellNow(leftOut, toldAt)) continue;
      stands = this.movedTo(examined, stands);
      yield this.batchOf(events, stands);
      toldAt = performance.now();
    }
  }

  /** Throws `FEED_UNAVAILABLE` when what was seen is not there any more: the log was put back under this reader, and opening it anew decides. */
  private movedTo(position: Position, stands: FeedCursor): FeedCursor {
    const { logId } = this.source;
    const timeline = this.source.timelineAt(position);
    const stayed = position === stands.position;
    const goneBack = position > this.source.durablePosition;
    if (goneBack || (stayed && timeline !== undefined && timeline !== stands.timeline))
      throw feedUnavailable('the log', `it no longer holds position ${position} as it was read`);
    if (timeline !== undefined) return { logId, position, timeline };
    // Retention may remove the event that an idle consumer stands at: it needs only what follows.
    if (stayed) return stands;
    throw feedCompacted(stands, this.source.firstPosition);
  }

  private batchOf(events: readonly RecordedEvent[], cursor: FeedCursor): FeedBatch {
    return { events, cursor, head: this.source.durablePosition };
  }
}

/** The codes of a log are its own; those that a consumer must tell apart are the feed's. */
function throwAsOurs(error: unknown, from: FeedCursor): never {
  switch (errorCode(error)) {
    case 'EVENT_LOG_CLOSED':
    case 'WAL_CLOSED':
      throw feedUnavailable('the log', error);
    case 'EVENT_POSITION_GONE':
    case 'WAL_SEQUENCE_GONE':
      throw feedCompacted(from);
    default:
      throw isPassing(error) ? feedUnavailable('the log', error) : error;
  }
}

function tellNow(positionsLeftOut: number, toldAt: number): boolean {
  return positionsLeftOut >= PROGRESS_POSITIONS || performance.now() - toldAt >= PROGRESS_MILLIS;
}

import {
  BEFORE_FIRST_POSITION,
  type EventSource,
  type Position,
  type RecordedEvent,
} from '@holdfast/event-store';
import { type Clock, assert, defined, errorCode, systemClock } from '@holdfast/kernel';
import { setTimeout as sleep } from 'node:timers/promises';
import type {
  EventFeed,
  FeedBatch,
  FeedCursor,
  FeedOptions,
  FeedSubscription,
} from './event-feed.js';
import { type ConnectedConsumer, FeedConsumers, newConsumer } from './feed-consumers.js';
import { feedCompacted, feedDiverged, feedUnavailable } from './feed.errors.js';
import { PatientIterator } from './patient-iterator.js';

/** An idle feed says so this often, unless told otherwise. */
export const HEARTBEAT_MILLIS = 1_000;
/** A filtered feed tells its progress at most this often … */
export const PROGRESS_MILLIS = 50;
/** … or each time so many positions were left out. */
export const PROGRESS_POSITIONS = 10_000;
/** How often to look whether a cursor above the visible bound has become visible. */
const VISIBILITY_POLL_MILLIS = 10;

export interface SourceFeedOptions {
  /** An idle feed yields an empty batch this often. Default 1,000. */
  readonly heartbeatMillis?: number;
  /** Lists who reads; nobody does when left out. */
  readonly consumers?: FeedConsumers;
  readonly clock?: Clock;
}

/** The feed on an open log: the writer's own in its process, or a reader. It does not close the log. */
export class SourceFeed implements EventFeed {
  private readonly heartbeatMillis: number;
  private readonly consumers: FeedConsumers;
  private readonly clock: Clock;
  private readonly closing = new AbortController();

  constructor(
    private readonly source: EventSource,
    options: SourceFeedOptions = {},
  ) {
    this.heartbeatMillis = options.heartbeatMillis ?? HEARTBEAT_MILLIS;
    this.consumers = options.consumers ?? new FeedConsumers();
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

  /** Throws `FEED_DIVERGED`, `FEED_COMPACTED`, for a cursor that is not of the visible part of this log. */
  assertOwn(cursor: FeedCursor): void {
    if (cursor.logId !== this.source.logId)
      throw feedDiverged(cursor, { foundLogId: this.source.logId });
    this.checkHistory(cursor, false);
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
      yield* this.untilVisible(from, ending.signal);
      if (ending.signal.aborted) return;
      this.checkHistory(from, options.whole ?? false);
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

  /** A watermark may lag behind what this consumer has already seen: it waits, with a sign of life now and then. */
  private async *untilVisible(from: FeedCursor, signal: AbortSignal): AsyncGenerator<FeedBatch> {
    if (from.logId !== this.source.logId)
      throw feedDiverged(from, { foundLogId: this.source.logId });
    let saidAt = performance.now();
    while (this.source.durablePosition < from.position && !signal.aborted) {
      if (performance.now() - saidAt >= this.heartbeatMillis) {
        saidAt = performance.now();
        yield { events: [], cursor: from, head: this.source.durablePosition };
      }
      await sleep(VISIBILITY_POLL_MILLIS);
    }
  }

  private checkHistory(from: FeedCursor, whole: boolean): void {
    const { firstPosition } = this.source;
    if (from.position === BEFORE_FIRST_POSITION) {
      if (whole && firstPosition !== undefined && firstPosition > 1)
        throw feedCompacted(from, firstPosition);
      return;
    }
    const timeline = this.source.timelineAt(from.position);
    if (timeline === undefined) throw feedCompacted(from, firstPosition);
    if (timeline !== from.timeline) throw feedDiverged(from, { foundTimeline: timeline });
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
    let examined = from.position;
    let told = from.position;
    let toldAt = performance.now() - PROGRESS_MILLIS;
    for (;;) {
      const quietMillis = performance.now() - toldAt;
      const patience = examined > told ? PROGRESS_MILLIS - quietMillis : this.heartbeatMillis;
      const arrival = await arrivals
        .next(Math.max(0, patience))
        .catch((error: unknown) => throwAsOurs(error, from));
      if (signal.aborted) return;
      if (arrival?.done === true) throw feedUnavailable('the log', 'it was closed');
      assert(
        arrival === undefined || arrival.value.position >= examined,
        'a source never goes back',
      );
      examined = arrival?.value.position ?? examined;
      const events = arrival?.value.events ?? [];
      if (arrival !== undefined && events.length === 0 && !tellNow(examined - told, toldAt))
        continue;
      yield this.batchOf(events, examined);
      told = examined;
      toldAt = performance.now();
    }
  }

  private batchOf(events: readonly RecordedEvent[], position: Position): FeedBatch {
    return { events, cursor: this.cursorAt(position), head: this.source.durablePosition };
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
      throw error;
  }
}

function tellNow(positionsLeftOut: number, toldAt: number): boolean {
  return positionsLeftOut >= PROGRESS_POSITIONS || performance.now() - toldAt >= PROGRESS_MILLIS;
}

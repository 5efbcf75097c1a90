import { setImmediate } from 'node:timers/promises';
import { errorCode } from '@holdfast/kernel';
import type { LogSource, ScanVisitor, Sequence, WalRecord } from '@holdfast/wal';
import { BATCH_BYTES_MAX, BatchCollector } from './batch-collector.js';
import { CommitWindow } from './commit-window.js';
import { BEFORE_FIRST_POSITION, type Position, type RecordedEvent } from '../event.js';
import type { EventBatch, EventSource, ReadAllOptions, SubscribeOptions } from '../event-log.js';
import { EventMatcher } from './event-matcher.js';
import { EventStoreError, invalid, logClosed, positionGone } from '../event-store.errors.js';
import { EventView } from '../codec/event-view.js';
import type { Upcasters } from '../codec/upcaster.js';

export const BATCH_EVENTS_DEFAULT = 1_000;
/** Reading backward goes by stretches that double while a filter lets little through, up to this many events. */
const WINDOW_EVENTS_MAX = 65_536;
const WINDOW_EVENTS_MIN = 64;

/**
 * The reading side of a log, the same in the writer's process and in any other: what its source holds as events, up to what
 * is durable and never beyond.
 */
export class DurableEvents implements EventSource {
  /** Moved within synchronous stretches only, so all readers share it. */
  private readonly view = new EventView();
  /** Ends the waiting of each running subscription. */
  private readonly subscriptions = new Set<AbortController>();
  private closed = false;

  constructor(
    private readonly source: LogSource,
    private readonly upcasters: Upcasters | undefined,
  ) {}

  get logId(): string {
    return this.source.logId;
  }

  get durablePosition(): Position {
    return positionOf(this.source.durableSequence);
  }

  get firstPosition(): Position {
    return positionOf(this.source.firstSequence);
  }

  timelineAt(position: Position): string | undefined {
    return this.source.timelineAt(sequenceOf(position));
  }

  get newestTimeline(): string {
    return this.source.newestTimeline;
  }

  eventAt(position: Position): RecordedEvent | undefined {
    this.assertOpen();
    return this.eventOf(this.source.recordAt(sequenceOf(position)));
  }

  /** As it was written, whatever this program makes of its version. */
  asRecordedAt(position: Position): RecordedEvent | undefined {
    this.assertOpen();
    return this.viewOf(this.source.recordAt(sequenceOf(position)))?.toEvent();
  }

  eventAtOrAbove(position: Position): RecordedEvent | undefined {
    this.assertOpen();
    return this.eventOf(this.source.recordAtOrAbove(sequenceOf(position)));
  }

  /** Throws `EVENT_POSITION_GONE` when the log no longer holds what follows `after`. */
  readAll(options: ReadAllOptions = {}): AsyncGenerator<EventBatch, void> {
    const matcher = new EventMatcher(options.filter);
    const eventsMax = batchEventsOf(options);
    return options.direction === 'backward'
      ? this.backward(options.after, matcher, eventsMax)
      : this.forwardFromStart(options.after ?? BEFORE_FIRST_POSITION, matcher, eventsMax);
  }

  async *subscribe(options: SubscribeOptions): AsyncGenerator<EventBatch, void> {
    const matcher = new EventMatcher(options.filter);
    const eventsMax = batchEventsOf(options);
    const { ending, release } = this.beginSubscription(options.signal);
    try {
      let position = this.startAfter(options.after);
      // What comes into an empty log while we wait is ours: it may not be passed over.
      let isAtStart = options.after === BEFORE_FIRST_POSITION;
      while (!ending.aborted) {
        const batches = this.forward(position, matcher, eventsMax, isAtStart, ending);
        for await (const batch of batches) {
          yield batch;
          position = batch.position;
        }
        isAtStart = false;
        await this.source.waitBeyond(sequenceOf(position), ending);
      }
    } finally {
      release();
    }
  }

  /**
   * The events at these positions through one scan, for positions that are close together; as many as fit into the bytes
   * of a batch.
   */
  async eventsAt(positions: readonly Position[]): Promise<Map<Position, RecordedEvent>> {
    this.assertOpen();
    const wanted = new Set(positions);
    const found = new Map<Position, RecordedEvent>();
    let bytes = 0;
    await this.scan(
      sequenceOf((Math.min(...positions) - 1) as Position),
      (sequence, buffer, start, end, endsBatch) => {
        const position = positionOf(sequence);
        if (!wanted.has(position)) return true;
        const view = this.view.moveTo(position, buffer, start, end, endsBatch);
        found.set(position, this.decode(view));
        bytes += end - start;
        return bytes < BATCH_BYTES_MAX;
      },
      sequenceOf(Math.max(...positions) as Position),
    );
    return found;
  }

  /** Subscriptions end; nothing more is read. The source is its owner's to close. */
  close(): void {
    this.closed = true;
    for (const ending of this.subscriptions) ending.abort();
  }

  private beginSubscription(signal: AbortSignal): { ending: AbortSignal; release: () => void } {
    this.assertOpen();
    const controller = new AbortController();
    const end = (): void => controller.abort();
    if (signal.aborted) end();
    signal.addEventListener('abort', end, { once: true });
    this.subscriptions.add(controller);
    const release = (): void => {
      signal.removeEventListener('abort', end);
      this.subscriptions.delete(controller);
    };
    return { ending: controller.signal, release };
  }

  private async *forwardFromStart(
    after: Position,
    matcher: EventMatcher,
    eventsMax: number,
  ): AsyncGenerator<EventBatch, void> {
    const isAtStart = after === BEFORE_FIRST_POSITION;
    yield* this.forward(this.startAfter(after), matcher, eventsMax, isAtStart);
  }

  private async *forward(
    after: Position,
    matcher: EventMatcher,
    eventsMax: number,
    fromStart: boolean,
    ending?: AbortSignal,
  ): AsyncGenerator<EventBatch, void> {
    const end = this.durablePosition;
    let position = after;
    let isAtStart = fromStart;
    while (position < end && ending?.aborted !== true) {
      this.assertOpen();
      let batch: EventBatch;
      try {
        batch = await this.batchAfter(position, end, matcher, eventsMax);
      } catch (error) {
        // Retention has moved the beginning since we looked: whoever has nothing yet and asks from the start begins there.
        const isBehind =
          errorCode(error) === 'EVENT_POSITION_GONE' &&
          position < this.startAfter(BEFORE_FIRST_POSITION);
        if (!isAtStart || !isBehind) throw error;
        position = this.startAfter(BEFORE_FIRST_POSITION);
        continue;
      }
      yield batch;
      isAtStart = false;
      position = batch.position;
      // A reader that is far behind takes batch after batch; between them, others run.
      if (position < end) await setImmediate();
    }
  }

  private async batchAfter(
    after: Position,
    end: Position,
    matcher: EventMatcher,
    eventsMax: number,
  ): Promise<EventBatch> {
    const collector = new BatchCollector(after, eventsMax);
    await this.scanMatching(after, end, matcher, (position, event, bytes, endsCommit) =>
      collector.add(position, event, bytes, endsCommit),
    );
    return collector.batch(end);
  }

  private async *backward(
    before: Position | undefined,
    matcher: EventMatcher,
    eventsMax: number,
  ): AsyncGenerator<EventBatch, void> {
    const first = positionOf(this.source.firstSequence);
    let last = Math.min((before ?? Infinity) - 1, this.durablePosition) as Position;
    let windowEvents = Math.max(eventsMax, WINDOW_EVENTS_MIN);
    while (last >= first) {
      this.assertOpen();
      const window = await this.windowUpTo(last, first, windowEvents, matcher);
      if (window.first === undefined) {
        // Compaction has left nothing before it.
        if (last - windowEvents < first) return;
        // One commit is longer than the stretch, or all of the stretch was dropped.
        windowEvents *= 2;
        continue;
      }
      last = (window.first - 1) as Position;
      if (window.matches < eventsMax / 2)
        windowEvents = Math.min(2 * windowEvents, WINDOW_EVENTS_MAX);
      yield* window.backward(eventsMax);
      await setImmediate();
    }
  }

  private async windowUpTo(
    last: Position,
    first: Position,
    windowEvents: number,
    matcher: EventMatcher,
  ): Promise<CommitWindow> {
    const from = Math.max(first, last - windowEvents + 1);
    const window = new CommitWindow(from === first);
    const after = (from - 1) as Position;
    await this.scanMatching(after, last, matcher, (position, event, bytes, endsCommit) => {
      window.add(position, event, bytes, endsCommit || position === last);
      return true;
    });
    return window;
  }

  /** Gives each event that is there, or undefined in its place if the filter leaves it out. Ends early when `take` says that it has enough. */
  private scanMatching(
    after: Position,
    upTo: Position,
    matcher: EventMatcher,
    take: BatchCollector['add'],
  ): Promise<void> {
    return this.scan(
      sequenceOf(after),
      (sequence, buffer, start, end, endsBatch) => {
        const position = positionOf(sequence);
        const view = this.view.moveTo(position, buffer, start, end, endsBatch);
        const event = matcher.matches(view) ? this.decode(view) : undefined;
        return take(position, event, end - start, endsBatch);
      },
      sequenceOf(upTo),
    );
  }

  private eventOf(record: WalRecord | undefined): RecordedEvent | undefined {
    const view = this.viewOf(record);
    return view && this.decode(view);
  }

  private viewOf(record: WalRecord | undefined): EventView | undefined {
    if (record === undefined) return undefined;
    const { sequence, payload, endsBatch } = record;
    const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
    return this.view.moveTo(positionOf(sequence), bytes, 0, bytes.length, endsBatch);
  }

  private decode(view: EventView): RecordedEvent {
    const event = view.toEvent();
    return this.upcasters === undefined ? event : this.upcasters.upcast(event);
  }

  /** As the source does it, with our own code where retention has overtaken the reader. */
  private async scan(after: Sequence, visitor: ScanVisitor, upTo: Sequence): Promise<void> {
    try {
      await this.source.scan(after, visitor, upTo);
    } catch (error) {
      if (errorCode(error) !== 'WAL_SEQUENCE_GONE') throw error;
      throw positionGone(after + 1, this.firstPosition);
    }
  }

  /** Where reading begins: 0 is the first event that is there, but any other position wants what follows it. */
  private startAfter(after: Position): Position {
    const gone = (this.source.firstSequence - 1) as Position;
    if (after >= gone) return after;
    if (after === BEFORE_FIRST_POSITION) return gone;
    throw new EventStoreError(
      'EVENT_POSITION_GONE',
      `the log begins at position ${gone + 1}; what follows position ${after} was removed`,
      { position: after, firstPosition: gone + 1 },
    );
  }

  /** Throws `EVENT_LOG_CLOSED`. */
  assertOpen(): void {
    if (this.closed) throw logClosed();
  }
}

function batchEventsOf({ batchEvents = BATCH_EVENTS_DEFAULT }: { batchEvents?: number }): number {
  if (Number.isInteger(batchEvents) && batchEvents >= 1) return batchEvents;
  throw invalid(`a batch has at least one event, not ${batchEvents}`);
}

/** An event's position is its record's sequence: the one place where the two meet. */
export function positionOf(sequence: Sequence): Position {
  return sequence as number as Position;
}

export function sequenceOf(position: Position): Sequence {
  return position as number as Sequence;
}

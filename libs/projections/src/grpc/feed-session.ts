import type { EventFilter, Position, RecordedEvent } from '@holdfast/event-store';
import { type Clock, CodedError, assert, systemClock } from '@holdfast/kernel';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { setImmediate as yieldToOthers } from 'node:timers/promises';
import type { FeedBatch, FeedCursor, FeedOptions } from '../event-feed.js';
import { cursorFromWire, positionOf, toWire, wireBytes } from './feed-codec.js';
import { type ConnectedConsumer, type FeedConsumers, newConsumer } from '../feed/feed-consumers.js';
import {
  BATCH_EVENTS_MAX,
  type FromConsumer,
  type FromSource,
  OVERHEAD_BYTES,
  PORTION_BYTES,
  type WireEvent,
  type WireFilter,
  type WireOpen,
} from './feed-protocol.js';
import { statusOf } from './feed-status.js';
import type { SourceFeed } from '../feed/source-feed.js';

export type FollowCall = ServerDuplexStream<FromConsumer, FromSource>;

/** A consumer that connects and then says nothing is sent away. */
const OPEN_TIMEOUT_MILLIS = 10_000;

interface Portion {
  readonly events: readonly WireEvent[];
  readonly bytes: number;
  readonly cursor: FeedCursor | undefined;
}

/**
 * The server's side of one stream: never more bytes under way than the consumer has granted, and nothing made before
 * there is room for it, so that a paused consumer costs one portion of memory and no more.
 */
export class FeedSession {
  private readonly ending = new AbortController();
  private readonly consumer: ConnectedConsumer;
  private open: WireOpen | undefined;
  private creditBytes = 0;
  private windowBytes = 0;
  private sentBytes = 0;
  private drained = true;
  private problem: CodedError | undefined;
  /** Resolves whoever waits for a change of the fields above. */
  private changed: (() => void) | undefined;

  constructor(
    private readonly call: FollowCall,
    private readonly feed: SourceFeed,
    private readonly consumers: FeedConsumers,
    clock: Clock = systemClock,
  ) {
    this.consumer = newConsumer(undefined, call.getPeer(), clock);
  }

  /** Serves until the consumer leaves, the feed is closed, or either fails. Never throws. */
  async run(): Promise<void> {
    this.listen();
    try {
      const open = await this.opening();
      if (open !== undefined) await this.serve(open);
      if (this.problem !== undefined) throw this.problem;
      this.call.end();
    } catch (error) {
      this.call.emit('error', statusOf(error));
    } finally {
      this.ending.abort();
      this.consumers.remove(this.consumer);
    }
  }

  private listen(): void {
    this.call.on('data', (message: FromConsumer) => this.receive(message));
    this.call.on('drain', () => this.change(() => (this.drained = true)));
    for (const end of ['end', 'cancelled', 'error', 'close'])
      this.call.on(end, () => this.change(() => this.ending.abort()));
  }

  private receive({ open, credit, applied }: FromConsumer): void {
    this.change(() => {
      try {
        if (open) this.receiveOpen(open);
        if (credit) this.creditBytes = Math.max(this.creditBytes, positionOf(credit.upToBytes));
        if (applied) this.receiveApplied(positionOf(applied.position), applied.volatile ?? false);
        this.countOutstanding();
      } catch (error) {
        this.fail(`a message that cannot be: ${String(error)}`);
      }
    });
  }

  private receiveOpen(open: WireOpen): void {
    if (this.open !== undefined) this.fail('a second open');
    if (this.open !== undefined) return;
    this.open = open;
    this.consumer.consumer = open.consumer === '' ? 'unnamed' : open.consumer;
    if (open.from) this.standsAt(positionOf(open.from.position), false);
    const refusal = this.consumers.refusalOf(this.consumer, open.keepsFloor ?? false);
    if (refusal === undefined) this.consumers.add(this.consumer);
    else this.refuse(refusal);
  }

  /** A floor rests on this, so it is never beyond what this consumer was sent or came with. */
  private receiveApplied(position: Position, volatile: boolean): void {
    const { sentPosition } = this.consumer;
    const from = this.open?.from?.position ?? 0;
    if (position > Math.max(sentPosition, from))
      this.fail(`that it has applied ${position}, of which it was sent ${sentPosition}`);
    else this.standsAt(position, volatile);
  }

  private standsAt(position: Position, volatile: boolean): void {
    this.consumer.appliedPosition = position;
    if (!volatile) this.consumer.durablePosition = position;
  }

  /** What went and was not paid back yet: the first grant is the consumer's window, all later ones repay. */
  private countOutstanding(): void {
    if (this.windowBytes === 0) this.windowBytes = this.creditBytes;
    const repaid = this.creditBytes - this.windowBytes;
    this.consumer.outstandingBytes = Math.max(0, this.sentBytes - repaid);
  }

  private fail(problem: string): void {
    this.refuse(new CodedError('FEED_PROTOCOL', `the consumer sent ${problem}`));
  }

  private refuse(problem: CodedError): void {
    this.problem ??= problem;
    this.ending.abort();
  }

  private async opening(): Promise<WireOpen | undefined> {
    const timer = setTimeout(
      () => this.change(() => this.fail(`no open within ${OPEN_TIMEOUT_MILLIS} ms`)),
      OPEN_TIMEOUT_MILLIS,
    );
    while (this.open === undefined && !this.ended) await this.nextChange();
    clearTimeout(timer);
    return this.open;
  }

  private async serve(open: WireOpen): Promise<void> {
    let accepted = false;
    for await (const batch of this.feed.open(this.feedOptions(open))) {
      // With its first batch the feed has accepted the cursor. Once only: an operator may give this consumer up meanwhile.
      if (!accepted) this.consumer.keepsFloor = open.keepsFloor ?? false;
      accepted = true;
      for (const portion of this.portionsOf(batch)) {
        await this.roomFor(portion.bytes);
        if (this.ended) return;
        this.send(portion, batch.head);
        // The process that serves the feed also takes commands: those come first between any two portions.
        await yieldToOthers();
      }
    }
  }

  private feedOptions(open: WireOpen): FeedOptions {
    const filter = filterFromWire(open.filter);
    return {
      from: open.from ? cursorFromWire(open.from) : undefined,
      ...(filter && { filter }),
      ...(open.whole === true && { whole: true }),
      ...(open.batchEvents > 0 && { batchEvents: Math.min(open.batchEvents, BATCH_EVENTS_MAX) }),
      signal: this.ending.signal,
    };
  }

  /** One after the other as there is room, so that a large batch is not in memory twice. */
  private *portionsOf(batch: FeedBatch): Generator<Portion> {
    let events: WireEvent[] = [];
    let bytes = OVERHEAD_BYTES;
    let last: RecordedEvent | undefined;
    for (const event of batch.events) {
      const wire = toWire(event);
      const cost = wireBytes(wire);
      if (last !== undefined && bytes + cost > PORTION_BYTES) {
        yield { events, bytes, cursor: this.cursorAfter(last) };
        events = [];
        bytes = OVERHEAD_BYTES;
      }
      events.push(wire);
      bytes += cost;
      last = event;
    }
    yield { events, bytes, cursor: batch.cursor };
  }

  /** A batch may end early, but only where a commit does. */
  private cursorAfter(event: RecordedEvent): FeedCursor | undefined {
    return event.endsCommit ? this.feed.cursorAt(event.position) : undefined;
  }

  private async roomFor(bytes: number): Promise<void> {
    const upToBytes = this.sentBytes + bytes;
    let saidShort = false;
    while (!this.ended && !(this.drained && upToBytes <= this.creditBytes)) {
      if (this.drained && !saidShort) {
        saidShort = true;
        this.drained = this.call.write({ shortage: { upToBytes } });
      } else await this.nextChange();
    }
  }

  private send({ events, bytes, cursor }: Portion, head: number): void {
    this.sentBytes += bytes;
    assert(this.sentBytes <= this.creditBytes, 'never more than the consumer granted');
    const portion = { events, head, sentBytes: this.sentBytes, ...(cursor && { cursor }) };
    this.drained = this.call.write({ portion });
    if (cursor !== undefined) this.consumer.sentPosition = cursor.position;
    this.countOutstanding();
  }

  private get ended(): boolean {
    return this.ending.signal.aborted;
  }

  private change(how: () => void): void {
    how();
    this.changed?.();
  }

  private nextChange(): Promise<void> {
    return new Promise((resolve) => (this.changed = resolve));
  }
}

function filterFromWire(filter: WireFilter | null | undefined): EventFilter | undefined {
  if (!filter) return undefined;
  return {
    ...(filter.types.length > 0 && { types: filter.types }),
    ...(filter.streamPrefix !== '' && { streamPrefix: filter.streamPrefix }),
    ...(filter.tags.length > 0 && { tags: filter.tags }),
  };
}

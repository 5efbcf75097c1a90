import type { Position, RecordedEvent } from '@holdfast/event-store';
import { type CodedError, assert } from '@holdfast/kernel';
import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import type { FeedBatch, FeedOptions, FeedSubscription } from '../event-feed.js';
import { cursorFromWire, fromWire, positionOf } from './feed-codec.js';
import {
  type FromConsumer,
  type FromSource,
  type WireOpen,
  type WirePortion,
} from './feed-protocol.js';
import { failureOf } from './feed-status.js';
import { feedInvalid, feedUnavailable } from '../feed.errors.js';

export type FollowStream = ClientDuplexStream<FromConsumer, FromSource>;

export interface GrpcSubscriptionContext {
  readonly url: string;
  readonly windowBytes: number;
  readonly silenceMillis: number;
  readonly closing: AbortSignal;
  readonly call: () => FollowStream;
}

interface ReceivedBatch {
  readonly batch: FeedBatch;
  /** As the source counts them. */
  readonly bytes: number;
}

const BATCH_EVENTS = 1_000;

/**
 * The client's side of one stream. What it holds is bounded by its window, and by the one batch that is being put together
 * when a single commit is larger than the window.
 */
export class GrpcSubscription implements FeedSubscription {
  private stream: FollowStream | undefined;
  private readonly queue: ReceivedBatch[] = [];
  private partial: RecordedEvent[] = [];
  private receivedPosition: number;
  private ended = false;
  private failure: CodedError | undefined;

  private receivedBytes = 0;
  /** Received, complete, and not yet processed by the consumer. */
  private heldBytes = 0;
  private partialBytes = 0;
  private grantedBytes = 0;
  private shortUpToBytes = 0;

  private waiting = false;
  private wake: (() => void) | undefined;

  constructor(
    private readonly options: FeedOptions,
    private readonly context: GrpcSubscriptionContext,
  ) {
    this.receivedPosition = options.from?.position ?? 0;
  }

  applied(position: Position, durable = true): void {
    this.write({ applied: { position, volatile: !durable } });
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<FeedBatch, void> {
    assert(this.stream === undefined, 'a subscription is read once');
    const end = () => this.abort();
    const signals = [this.options.signal, this.context.closing];
    for (const signal of signals) signal.addEventListener('abort', end, { once: true });
    try {
      if (signals.some((signal) => signal.aborted)) return;
      this.start();
      for (;;) {
        const received = await this.nextBatch();
        if (received === undefined) return;
        yield received.batch;
        // Asking for what follows says that this one has been processed: only now is its room free again.
        this.heldBytes -= received.bytes;
      }
    } finally {
      for (const signal of signals) signal.removeEventListener('abort', end);
      this.abort();
    }
  }

  private start(): void {
    const stream = this.context.call();
    this.stream = stream;
    stream.on('data', (message: FromSource) => this.receive(message));
    stream.on('error', (error: ServiceError) => this.end(failureOf(this.context.url, error)));
    stream.on('end', () =>
      this.end(feedUnavailable(this.context.url, 'the server ended the stream')),
    );
    this.write({ open: this.openMessage() });
    this.grant();
  }

  private openMessage(): WireOpen {
    const { consumer, from, filter, keepsFloor = false, whole = false } = this.options;
    const { types = [], streamPrefix = '', tags = [] } = filter ?? {};
    return {
      consumer: consumer ?? '',
      from: from ?? null,
      filter: filter ? { types, streamPrefix, tags } : null,
      batchEvents: this.batchEvents,
      keepsFloor,
      whole,
    };
  }

  private receive({ portion, shortage }: FromSource): void {
    if (this.ended) return;
    try {
      if (portion) this.receivePortion(portion);
      if (shortage) this.shortUpToBytes = positionOf(shortage.upToBytes);
      this.grant();
    } catch (error) {
      const position = this.receivedPosition as Position;
      this.end(feedInvalid(this.context.url, String(error), position));
    }
    this.wake?.();
  }

  private receivePortion({ events, cursor, head, sentBytes }: WirePortion): void {
    for (const event of events) {
      assert(event.position > this.receivedPosition, 'positions increase');
      this.receivedPosition = event.position;
      this.partial.push(fromWire(event));
    }
    this.partialBytes += positionOf(sentBytes) - this.receivedBytes;
    this.receivedBytes = sentBytes;
    if (!cursor) return;
    assert(cursor.position >= this.receivedPosition, 'a cursor is not before its events');
    this.receivedPosition = cursor.position;
    const batch = { events: this.partial, cursor: cursorFromWire(cursor), head: positionOf(head) };
    this.queue.push({ batch, bytes: this.partialBytes });
    this.heldBytes += this.partialBytes;
    this.partial = [];
    this.partialBytes = 0;
  }

  /**
   * Keeps window = granted − received + held. A consumer that has nothing left to process gives what the source is short of: for
   * the rest of a commit, or one event, larger than the window. To hold it back then would be a deadlock.
   */
  private grant(): void {
    const { windowBytes } = this.context;
    const starving = this.waiting && this.queue.length === 0;
    const short = this.shortUpToBytes > this.grantedBytes;
    let upToBytes = this.receivedBytes - this.heldBytes - this.partialBytes + windowBytes;
    if (short && starving) upToBytes = Math.max(upToBytes, this.shortUpToBytes);
    const worthAMessage = upToBytes - this.grantedBytes >= windowBytes / 4;
    if (!worthAMessage && !(short && upToBytes >= this.shortUpToBytes)) return;
    this.grantedBytes = upToBytes;
    this.write({ credit: { upToBytes } });
  }

  /** Everything that has come, up to the size of one batch; undefined at the end. */
  private async nextBatch(): Promise<ReceivedBatch | undefined> {
    this.waiting = true;
    this.grant();
    while (this.queue.length === 0 && !this.ended) await this.message();
    this.waiting = false;
    const first = this.queue.shift();
    if (first === undefined && this.failure !== undefined) throw this.failure;
    return first === undefined ? undefined : this.joined(first);
  }

  private joined(first: ReceivedBatch): ReceivedBatch {
    const parts = [first];
    let events = first.batch.events.length;
    for (let next = this.queue[0]; next !== undefined; next = this.queue[0]) {
      events += next.batch.events.length;
      if (events > this.batchEvents) break;
      parts.push(next);
      this.queue.shift();
    }
    if (parts.length === 1) return first;
    const last = parts.at(-1) ?? first;
    return {
      batch: { ...last.batch, events: parts.flatMap(({ batch }) => batch.events) },
      bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  }

  /** Resolves with the next message or the end, and makes silence an end. */
  private async message(): Promise<void> {
    const { silenceMillis, url } = this.context;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        this.end(feedUnavailable(url, `no message for ${silenceMillis} ms`));
      }, silenceMillis);
      this.wake = () => {
        clearTimeout(timer);
        this.wake = undefined;
        resolve();
      };
    });
  }

  private get batchEvents(): number {
    return this.options.batchEvents ?? BATCH_EVENTS;
  }

  private write(message: FromConsumer): void {
    if (!this.ended) this.stream?.write(message);
  }

  private abort(): void {
    this.queue.length = 0;
    this.end(undefined);
    this.stream?.cancel();
  }

  private end(failure: CodedError | undefined): void {
    if (!this.ended) this.failure = failure;
    this.ended = true;
    this.wake?.();
  }
}

import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { breakOff } from '../http/break-off.js';
import type { EventsFormat } from './event-request.js';

/** What a client that reads slowly makes us hold, beside one batch. */
const BUFFERED_BYTES = 64 * 1024;
/** How long an answer that has ended may take to reach its client. */
const ENDING_MILLIS_MAX = 1_000;

/** One answer with events, until its client has all of it or has gone. */
export class EventAnswer {
  /** Fires when nothing more is to be read for it. */
  readonly signal: AbortSignal;
  /** Resolves once its connection is done with it. */
  readonly closed: Promise<void>;
  /** Resolves once nothing reads the log for it. */
  hasRead: Promise<unknown> = Promise.resolve();
  private readonly ending = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private stalled: NodeJS.Timeout | undefined;

  constructor(
    private readonly outgoing: ServerResponse,
    private readonly format: EventsFormat,
  ) {
    this.signal = this.ending.signal;
    this.closed = new Promise((resolve) => {
      whenClosed(outgoing, () => {
        this.ending.abort();
        clearTimeout(this.timer);
        clearTimeout(this.stalled);
        resolve();
      });
    });
  }

  /** The texts as bytes, made as the client takes them. Whoever takes nothing for `stallMillisMax` loses the connection; `lifeMillisMax` ends it in peace. */
  stream(
    texts: AsyncIterable<string>,
    limits: { readonly stallMillisMax: number; readonly lifeMillisMax: number },
  ): Readable {
    const done = Promise.withResolvers<undefined>();
    this.hasRead = done.promise;
    if (this.format === 'live')
      this.timer = setTimeout(() => this.endSoon(), limits.lifeMillisMax).unref();
    const bytes = this.bytesOf(texts, limits.stallMillisMax, () => done.resolve(undefined));
    const readable = Readable.from(bytes, { objectMode: false, highWaterMark: BUFFERED_BYTES });
    // Before its router ends it in its own way.
    readable.once('error', () => breakOff(this.outgoing));
    // Before its first read a generator has nothing to clean up, and nobody would hear that it ends.
    readable.once('close', () => {
      this.ending.abort();
      void bytes.return().finally(() => done.resolve(undefined));
    });
    return readable;
  }

  /** The service stops. What is live ends whole, and its client comes back; all else is broken off, because half of it must not look like the whole. */
  stop(): void {
    if (this.format === 'live') this.endSoon();
    else if (this.format === 'lines') breakOff(this.outgoing);
  }

  private endSoon(): void {
    this.ending.abort();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.outgoing.destroy(), ENDING_MILLIS_MAX).unref();
  }

  private async *bytesOf(
    texts: AsyncIterable<string>,
    stallMillisMax: number,
    onEnd: () => void,
  ): AsyncGenerator<Buffer, void> {
    try {
      for await (const text of texts) {
        this.stalled = setTimeout(() => breakOff(this.outgoing), stallMillisMax).unref();
        yield Buffer.from(text);
        clearTimeout(this.stalled);
        if (this.signal.aborted) return;
      }
    } finally {
      clearTimeout(this.stalled);
      onEnd();
    }
  }
}

/** The answer to a request that was sent behind others on its connection never begins when that ends, and so never closes either. */
function whenClosed(outgoing: ServerResponse, closed: () => void): void {
  const { socket } = outgoing.req;
  const onClose = (): void => {
    outgoing.off('close', onClose);
    socket.off('close', onClose);
    closed();
  };
  if (outgoing.closed || socket.destroyed) {
    closed();
    return;
  }
  outgoing.once('close', onClose);
  socket.once('close', onClose);
}

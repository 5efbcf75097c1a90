import type { Position } from '@holdfast/event-store';
import type { EventFeed, FeedCursor } from './event-feed.js';
import { PatientIterator } from './patient-iterator.js';

/** How often a consumer that applies nothing looks how far the log has come; one look ends after as long. */
const LOOK_MILLIS = 2_000;

/**
 * Tells how far the log has come while its consumer can apply nothing: its read model is out of reach, or another worker's. Without it the lag would stay what it was
 * when the trouble began.
 */
export class HeadProbe {
  private lookedAtMillis = -Infinity;

  constructor(
    private readonly feed: EventFeed,
    private readonly onHead: (head: Position) => void,
  ) {}

  /** Looks in the background, when the last look was long enough ago. What hinders it is told by the next pass. */
  look(from: FeedCursor | undefined, signal: AbortSignal): void {
    const now = performance.now();
    if (now - this.lookedAtMillis < LOOK_MILLIS || signal.aborted) return;
    this.lookedAtMillis = now;
    void this.firstBatch(from, signal).catch(() => undefined);
  }

  private async firstBatch(from: FeedCursor | undefined, signal: AbortSignal): Promise<void> {
    const leaving = new AbortController();
    const leave = () => leaving.abort();
    signal.addEventListener('abort', leave, { once: true });
    const subscription = this.feed.open({ from, batchEvents: 1, signal: leaving.signal });
    const batches = new PatientIterator(subscription[Symbol.asyncIterator]());
    try {
      const first = await batches.next(LOOK_MILLIS);
      if (first?.done === false) this.onHead(first.value.head);
    } finally {
      signal.removeEventListener('abort', leave);
      leave();
      await batches.close();
    }
  }
}

import type { Position } from '@holdfast/event-store';
import type { EventFeed, FeedCursor } from '../event-feed.js';
import { firstBatch } from './first-batch.js';

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
    void firstBatch(this.feed, from, LOOK_MILLIS, signal)
      .then((batch) => {
        if (batch !== undefined) this.onHead(batch.head);
      })
      .catch(() => undefined);
  }
}

import type { EventFeed, FeedBatch, FeedCursor } from '../event-feed.js';
import { PatientIterator } from '../feed/patient-iterator.js';

/** What a feed says first to a consumer that stands there; undefined when that takes too long. Keeps no floor, and leaves the feed. Throws what the feed throws: it refuses a cursor before it says anything. */
export async function firstBatch(
  feed: EventFeed,
  from: FeedCursor | undefined,
  patienceMillis: number,
  signal: AbortSignal,
): Promise<FeedBatch | undefined> {
  const leaving = new AbortController();
  const leave = () => leaving.abort();
  signal.addEventListener('abort', leave, { once: true });
  const subscription = feed.open({ from, batchEvents: 1, signal: leaving.signal });
  const batches = new PatientIterator(subscription[Symbol.asyncIterator]());
  try {
    const first = await batches.next(patienceMillis);
    return first?.done === false ? first.value : undefined;
  } finally {
    signal.removeEventListener('abort', leave);
    leave();
    await batches.close();
  }
}

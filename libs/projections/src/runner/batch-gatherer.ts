import type { FeedBatch } from '../event-feed.js';
import { PatientIterator } from '../feed/patient-iterator.js';

/** Longest wait for more of what is certainly coming. */
const GATHER_MILLIS = 50;
/** A transaction of a worker that is far behind may hold so many times more events. */
const FAR_BEHIND_FACTOR = 10;

/**
 * Makes one transaction's worth of the batches of a feed. Nearly caught up: each batch as it comes, because somebody may be waiting
 * for it, and what comes meanwhile makes the next one larger by itself. Behind: several, because each transaction costs a sync.
 */
export class BatchGatherer {
  private readonly arrivals: PatientIterator<FeedBatch>;

  constructor(
    batches: AsyncIterable<FeedBatch>,
    /** 1 asks for single commits, which are never gathered. */
    private readonly batchEvents: number,
  ) {
    this.arrivals = new PatientIterator(batches[Symbol.asyncIterator]());
  }

  /** `quiet` when nothing came in time; undefined at the end. Throws what the feed throws. */
  async next(patienceMillis: number): Promise<FeedBatch | 'quiet' | undefined> {
    const first = await this.arrivals.next(patienceMillis);
    if (first === undefined) return 'quiet';
    if (first.done === true) return undefined;
    return this.batchEvents === 1 ? first.value : await this.gather(first.value);
  }

  /** Leaves the feed; resolves once it has let go. Whoever calls has fired the feed's signal before. */
  close(): Promise<void> {
    return this.arrivals.close();
  }

  private async gather(first: FeedBatch): Promise<FeedBatch> {
    const parts = [first];
    let { cursor, head } = first;
    let events = first.events.length;
    const behind = () => head - cursor.position;
    const most =
      this.batchEvents * (behind() > this.batchEvents * FAR_BEHIND_FACTOR ? FAR_BEHIND_FACTOR : 1);
    const deadline = performance.now() + GATHER_MILLIS;
    while (events < most && behind() >= this.batchEvents) {
      const next = await this.arrivals.next(Math.max(0, deadline - performance.now()));
      // An end that came early is told again by the next call.
      if (next === undefined || next.done === true) break;
      parts.push(next.value);
      events += next.value.events.length;
      ({ cursor, head } = next.value);
    }
    if (parts.length === 1) return first;
    return { events: parts.flatMap((part) => part.events), cursor, head };
  }
}

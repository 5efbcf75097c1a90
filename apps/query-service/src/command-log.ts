import type { Position } from '@holdfast/event-store';
import type { SeenLog } from '@holdfast/ledger-service';
import type { HealthReport } from '@holdfast/platform';

/** What was learned so long ago is asked for again, and so is what was not learned. */
const FRESH_MILLIS = 1_000;
/** Health is asked for often, and a command service that is away must not make it late. */
const ANSWER_MILLIS_MAX = 500;

/**
 * The log behind the command service, as its health tells: which one it is, in which history it goes on, and how far it has come. What was learned once is
 * believed while the command service is away: it is the same log when it comes back, or says otherwise then.
 */
export class CommandLog {
  private seen: SeenLog | undefined;
  private askedAtMillis = -Infinity;
  private asking: Promise<SeenLog | undefined> | undefined;

  constructor(private readonly commandUrl: string) {}

  /** What is known, without a wait if anything is. Undefined while nobody has answered yet. */
  look(): SeenLog | undefined | Promise<SeenLog | undefined> {
    const fresh = performance.now() - this.askedAtMillis < FRESH_MILLIS;
    const asked = fresh ? this.asking : this.ask();
    return this.seen ?? asked;
  }

  /** What is the case now; undefined when the command service does not answer, which is no fault of queries. */
  ask(): Promise<SeenLog | undefined> {
    this.askedAtMillis = performance.now();
    this.asking ??= this.answer().finally(() => (this.asking = undefined));
    return this.asking;
  }

  private async answer(): Promise<SeenLog | undefined> {
    try {
      const signal = AbortSignal.timeout(ANSWER_MILLIS_MAX);
      const answer = await fetch(`${this.commandUrl}/health/ready`, { signal });
      const { facts = {} } = (await answer.json()) as HealthReport;
      const { logId, durablePosition, logTimeline } = facts;
      if (typeof logId !== 'string' || typeof durablePosition !== 'number') return undefined;
      this.seen = {
        logId,
        durablePosition: durablePosition as Position,
        newestTimeline: typeof logTimeline === 'string' ? logTimeline : '',
        // It tells of its end only. The worker that follows the log sees the rest of it.
        timelineAt: () => undefined,
      };
      return this.seen;
    } catch {
      return undefined;
    }
  }
}

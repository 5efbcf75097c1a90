import type { Position } from '@holdfast/event-store';
import { systemClock } from '@holdfast/kernel';
import { type SeenLog, timelinesOf } from '@holdfast/ledger-service';
import type { HealthReport } from '@holdfast/platform';

/** No answer rests on what was learned longer ago than this, while the command service answers. */
const FRESH_MILLIS = 1_000;
/** From the question to its answer. A command service that is away must not make health late, which waits for two looks at the read model besides. */
const ANSWER_MILLIS_MAX = 500;

export interface CommandLogOptions {
  readonly monotonicMillis?: () => number;
  /** Made as a question is put. */
  readonly timeLimit?: () => AbortSignal;
}

/**
 * The log behind the command service, as its health tells: which one it is, which histories it is made of, and how far it has come. What was learned once is
 * believed while the command service is away: it is the same log when it comes back, or says otherwise then.
 */
export class CommandLog {
  private seen: SeenLog | undefined;
  /** When the last question was put, answered or not. */
  private askedAtMillis = -Infinity;
  private asking: Promise<SeenLog | undefined> = Promise.resolve(undefined);
  private askingNext: Promise<SeenLog | undefined> | undefined;

  private readonly monotonicMillis: () => number;
  private readonly timeLimit: () => AbortSignal;

  constructor(
    private readonly commandUrl: string,
    { monotonicMillis, timeLimit }: CommandLogOptions = {},
  ) {
    this.monotonicMillis = monotonicMillis ?? (() => systemClock.monotonicMillis());
    this.timeLimit = timeLimit ?? (() => AbortSignal.timeout(ANSWER_MILLIS_MAX));
  }

  /** What is known, asked for within the last second, or now. Undefined while nobody has answered yet. */
  look(): SeenLog | undefined | Promise<SeenLog | undefined> {
    if (this.monotonicMillis() - this.askedAtMillis < FRESH_MILLIS) return this.seen;
    return this.ask().then(() => this.seen);
  }

  /**
   * What is the case now; undefined when the command service does not answer, which is no fault of queries. A question that is under way was put earlier, and may be
   * answered from before the call: so one that follows it is shared by all who call meanwhile. Its time limit runs from the first of these calls on, so nobody waits for two.
   */
  ask(): Promise<SeenLog | undefined> {
    this.askingNext ??= this.askAfter(this.asking, this.timeLimit());
    return this.askingNext;
  }

  private async askAfter(
    earlier: Promise<unknown>,
    timeLimit: AbortSignal,
  ): Promise<SeenLog | undefined> {
    await earlier;
    this.askingNext = undefined;
    return (this.asking = this.answer(timeLimit));
  }

  private async answer(signal: AbortSignal): Promise<SeenLog | undefined> {
    const askedAtMillis = this.monotonicMillis();
    try {
      const answer = await fetch(`${this.commandUrl}/health/ready`, { signal });
      const { facts = {} } = (await answer.json()) as HealthReport;
      const { logId, durablePosition, logTimeline: newestTimeline = '', logTimelines } = facts;
      if (typeof logId !== 'string' || typeof durablePosition !== 'number') return undefined;
      if (typeof newestTimeline !== 'string') return undefined;
      const timelines = timelinesOf(logTimelines ?? `${newestTimeline}@1`);
      this.seen = {
        logId,
        durablePosition: durablePosition as Position,
        newestTimeline,
        // The empty name is nobody's: a place before all that is told of is of no history that is known, and is refused.
        timelineAt: (position) =>
          timelines.find(({ firstPosition }) => firstPosition <= position)?.timeline ?? '',
      };
      return this.seen;
    } catch {
      return undefined;
    } finally {
      this.askedAtMillis = askedAtMillis;
    }
  }
}

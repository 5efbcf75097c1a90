import type { Position } from '@holdfast/event-store';
import { systemClock } from '@holdfast/kernel';
import { type SeenLog, timelinesOf } from '@holdfast/ledger-service';
import type { HealthReport } from '@holdfast/platform';

/** No answer rests on what was learned longer ago than this, while the command service answers. */
const FRESH_MILLIS = 1_000;
/** Health is asked for often, and a command service that is away must not make it late. */
const ANSWER_MILLIS_MAX = 500;

export interface CommandLogOptions {
  readonly monotonicMillis?: () => number;
  readonly answerMillisMax?: number;
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
  private readonly answerMillisMax: number;

  constructor(
    private readonly commandUrl: string,
    { monotonicMillis, answerMillisMax = ANSWER_MILLIS_MAX }: CommandLogOptions = {},
  ) {
    this.monotonicMillis = monotonicMillis ?? (() => systemClock.monotonicMillis());
    this.answerMillisMax = answerMillisMax;
  }

  /** What is known, asked for within the last second, or now. Undefined while nobody has answered yet. */
  look(): SeenLog | undefined | Promise<SeenLog | undefined> {
    if (this.monotonicMillis() - this.askedAtMillis < FRESH_MILLIS) return this.seen;
    return this.ask().then(() => this.seen);
  }

  /**
   * What is the case now; undefined when the command service does not answer, which is no fault of queries. A question that is under way was put earlier, and may be
   * answered from before the call: so one that follows it is shared by all who call meanwhile. The longest wait is two answers.
   */
  ask(): Promise<SeenLog | undefined> {
    this.askingNext ??= this.asking.then(() => {
      this.askingNext = undefined;
      return (this.asking = this.answer());
    });
    return this.askingNext;
  }

  private async answer(): Promise<SeenLog | undefined> {
    const askedAtMillis = this.monotonicMillis();
    try {
      const signal = AbortSignal.timeout(this.answerMillisMax);
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

import type { Position } from '@holdfast/event-store';
import { systemClock } from '@holdfast/kernel';
import { type LogSight, type SeenLog } from '@holdfast/ledger-service';
import { timelinesOf } from '@holdfast/operations';
import type { HealthReport } from '@holdfast/platform';
import { Client } from 'undici';

/** No answer rests on what was learned longer ago than this, while the command service answers in time. */
const FRESH_MILLIS = 1_000;
/** A command service that is away must not make health late, which waits for two looks at the read model besides. */
const WAIT_MILLIS_MAX = 500;
/** In a peak of load health is seconds late. A process that is silent for longer hangs, or is another one by now behind a proxy. */
const SILENT_MILLIS_MAX = 10_000;
/** As long as a command may take at the front door: a question that is put anew stands at the end of the queue again. */
const ANSWER_MILLIS_MAX = 30_000;
/** Far less than the answer may take: that nobody is there is known first. */
const CONNECT_MILLIS_MAX = 2_000;

export interface CommandLogOptions {
  readonly monotonicMillis?: () => number;
  /** Made as somebody begins to wait. */
  readonly waitLimit?: () => AbortSignal;
  /** Made as a question is put. */
  readonly answerLimit?: () => AbortSignal;
}

/**
 * The log behind the command service, as its health tells: which one it is, which histories it is made of, and how far it has come.
 *
 * Only a process that begins can have another log. So what was learned is believed as long as the connection stands on which it was told, some seconds without an answer included; and while no
 * connection can be made, because nobody is there who takes commands. Whoever accepts a new connection may have been started on a restored log, and is believed when it has answered: if it ends
 * before, what was seen before it proves nothing any more.
 */
export class CommandLog implements LogSight {
  private seen: SeenLog | undefined;
  /** Nobody was there since who may have another log than the one that was seen. */
  private isBelieved = true;
  /** When the last question was put. */
  private putAtMillis = -Infinity;
  private asking: Promise<SeenLog | undefined> | undefined;
  private askingNext: Promise<SeenLog | undefined> | undefined;

  /** One connection. */
  private readonly client: Client;
  private readonly monotonicMillis: () => number;
  private readonly waitLimit: () => AbortSignal;
  private readonly answerLimit: () => AbortSignal;

  constructor(
    commandUrl: string,
    { monotonicMillis, waitLimit, answerLimit }: CommandLogOptions = {},
  ) {
    this.monotonicMillis = monotonicMillis ?? (() => systemClock.monotonicMillis());
    this.waitLimit = waitLimit ?? (() => AbortSignal.timeout(WAIT_MILLIS_MAX));
    this.answerLimit = answerLimit ?? (() => AbortSignal.timeout(ANSWER_MILLIS_MAX));
    this.client = new Client(commandUrl, { connectTimeout: CONNECT_MILLIS_MAX });
    this.client.on('connect', () => (this.isBelieved = false));
  }

  /** What is known, asked for within the last second, or now. Undefined while nobody knows: before the first answer, and where what was seen is not believed. */
  look(): SeenLog | undefined | Promise<SeenLog | undefined> {
    const agoMillis = this.monotonicMillis() - this.putAtMillis;
    const { asking } = this;
    // Nobody waits for a question that is late already.
    if (asking !== undefined && agoMillis >= SILENT_MILLIS_MAX) return undefined;
    if (asking !== undefined && agoMillis >= WAIT_MILLIS_MAX) return this.believed;
    if (asking !== undefined) return this.within(asking).then(() => this.believed);
    if (agoMillis < FRESH_MILLIS) return this.believed;
    return this.ask().then(() => this.believed);
  }

  /**
   * What is the case now; undefined when the command service does not answer in time, which is no fault of queries. A question that is under way was put earlier, and may be
   * answered from before the call: so one that follows it is shared by all who call meanwhile. A late answer is of use to those who look next.
   */
  ask(): Promise<SeenLog | undefined> {
    this.askingNext ??= this.putAfter(this.asking);
    return this.within(this.askingNext);
  }

  /** A question under way ends without an answer. */
  async close(): Promise<void> {
    await this.client.destroy();
  }

  private get believed(): SeenLog | undefined {
    return this.isBelieved ? this.seen : undefined;
  }

  private async putAfter(earlier: Promise<unknown> | undefined): Promise<SeenLog | undefined> {
    await earlier;
    this.askingNext = undefined;
    this.putAtMillis = this.monotonicMillis();
    this.asking = this.answer(this.answerLimit()).finally(() => (this.asking = undefined));
    return this.asking;
  }

  private async answer(signal: AbortSignal): Promise<SeenLog | undefined> {
    try {
      const path = '/health/ready';
      const { body } = await this.client.request({ method: 'GET', path, signal });
      const seen = seenOf((await body.json()) as HealthReport);
      if (seen === undefined) return undefined;
      this.isBelieved = true;
      return (this.seen = seen);
    } catch {
      if (signal.aborted) this.isBelieved = false;
      return undefined;
    }
  }

  private within(answer: Promise<SeenLog | undefined>): Promise<SeenLog | undefined> {
    const limit = this.waitLimit();
    return new Promise((resolve) => {
      limit.addEventListener('abort', () => resolve(undefined), { once: true });
      void answer.then(resolve);
    });
  }
}

function seenOf({ facts = {} }: HealthReport): SeenLog | undefined {
  const { logId, durablePosition, logTimeline: newestTimeline = '', logTimelines } = facts;
  if (typeof logId !== 'string' || typeof durablePosition !== 'number') return undefined;
  if (typeof newestTimeline !== 'string') return undefined;
  const timelines = timelinesOf(logTimelines ?? `${newestTimeline}@1`);
  return {
    logId,
    durablePosition: durablePosition as Position,
    newestTimeline,
    // The empty name is nobody's: a place before all that is told of is of no history that is known, and is refused.
    timelineAt: (position) =>
      timelines.find(({ firstPosition }) => firstPosition <= position)?.timeline ?? '',
  };
}

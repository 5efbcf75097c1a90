import { setTimeout } from 'node:timers/promises';
import { type Clock, errorMessage, systemClock } from '@holdfast/kernel';
import type { VerifyProblem } from '@holdfast/wal';
import type { ScrubOptions, ScrubReport } from '@holdfast/wal/maintenance';
import type { OperatorLog } from '../operator-log.js';

/** What a scrubber needs of a log: `WalMaintenance` is one. */
export interface ScrubbedLog {
  scrub(options: ScrubOptions): Promise<ScrubReport>;
}

export interface LogScrubberOptions {
  /** The average rate of reading. 0: nothing is ever read. */
  readonly bytesPerSecond: number;
  /** Between the end of a pass and the start of the next. */
  readonly pauseMillis: number;
  readonly logger: OperatorLog;
  readonly clock?: Clock;
}

/** Since the process started. */
export interface ScrubStats {
  readonly segments: number;
  readonly bytes: number;
  /** Passes over the whole log that came to their end. */
  readonly passes: number;
  /** Each finding, so that a segment that stays damaged counts in each pass. */
  readonly problems: number;
  /** Segments that were found damaged and have not been found intact since. */
  readonly damagedSegments: number;
  readonly passEndedAtMillis: number | undefined;
}

/** A service that has just started has more urgent work, and has read much of the log already. */
const FIRST_PAUSE_MILLIS_MAX = 60_000;

/**
 * Reads the finished segments of a log again and again, so that damage is known before somebody needs what it has hit. It harms no command: nothing is
 * refused for a segment that only replays will read, but an operator is told at once and as long as it lasts.
 */
export class LogScrubber {
  private readonly stopping = new AbortController();
  private readonly damaged = new Map<string, VerifyProblem>();
  private readonly clock: Clock;
  private readonly total = { segments: 0, bytes: 0, passes: 0, problems: 0 };
  private passEndedAtMillis: number | undefined;
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly log: ScrubbedLog,
    private readonly options: LogScrubberOptions,
  ) {
    this.clock = options.clock ?? systemClock;
  }

  start(): void {
    if (this.options.bytesPerSecond > 0) this.running = this.run();
  }

  /** No further segment is begun. The one that is being read is given up when the log is closed. */
  stop(): void {
    this.stopping.abort();
  }

  /** Resolves when it has ended, which is soon after `stop` and the closing of the log. */
  get ended(): Promise<void> {
    return this.running;
  }

  get stats(): ScrubStats {
    const { passEndedAtMillis } = this;
    return { ...this.total, damagedSegments: this.damaged.size, passEndedAtMillis };
  }

  /** What is damaged, for an operator; undefined while nothing is. */
  get damage(): string | undefined {
    const [first] = this.damaged.values();
    if (first === undefined) return undefined;
    const { file, firstSequence, reason } = first;
    const others = this.damaged.size > 1 ? `, and ${this.damaged.size - 1} more` : '';
    return `${file}, from position ${firstSequence}: ${reason}${others}. Do not stop the service before you have a copy of the log; see WAL_CORRUPT in docs/operations.md`;
  }

  private async run(): Promise<void> {
    const { pauseMillis } = this.options;
    await this.pause(Math.min(pauseMillis, FIRST_PAUSE_MILLIS_MAX));
    while (!this.isStopped()) {
      await this.pass();
      await this.pause(pauseMillis);
    }
  }

  private async pass(): Promise<void> {
    const seen = new Set<string>();
    const { bytesPerSecond, logger } = this.options;
    try {
      const { unread } = await this.log.scrub({
        bytesPerSecond,
        signal: this.stopping.signal,
        onSegment: ({ path, bytes, problem }) => {
          // A read that the closing of the log cut short says nothing of the segment.
          if (this.isStopped()) return;
          seen.add(path);
          this.count(path, bytes, problem);
        },
      });
      if (this.isStopped()) return;
      for (const { file, reason } of unread) {
        // What was found of it before stands until it is read again.
        seen.add(file);
        logger.warn({ file, reason }, 'a segment of the log could not be read just now');
      }
    } catch (error) {
      if (!this.isStopped())
        logger.warn({ err: errorMessage(error) }, 'a pass over the log failed');
      return;
    }
    if (!this.isStopped()) this.passed(seen);
  }

  private count(path: string, bytes: number, problem: VerifyProblem | undefined): void {
    this.total.segments++;
    this.total.bytes += bytes;
    if (problem === undefined) {
      if (this.damaged.delete(path))
        this.options.logger.info({ file: path }, 'a segment of the log is intact again');
      return;
    }
    this.total.problems++;
    this.damaged.set(path, problem);
    this.options.logger.error(problem, 'A SEGMENT OF THE LOG IS DAMAGED; commands go on');
  }

  /** A damaged segment that belongs to the log no longer is nobody's concern any more. */
  private passed(seen: ReadonlySet<string>): void {
    this.total.passes++;
    this.passEndedAtMillis = this.clock.nowMillis();
    for (const path of this.damaged.keys()) if (!seen.has(path)) this.damaged.delete(path);
  }

  private isStopped(): boolean {
    return this.stopping.signal.aborted;
  }

  private async pause(millis: number): Promise<void> {
    const { signal } = this.stopping;
    await setTimeout(millis, undefined, { signal, ref: false }).catch(() => undefined);
  }
}

import { walClosed } from './wal.errors.js';
import type { WorkOptions } from './wal.types.js';

/** When the work on segments of an open log runs: what goes one after the other, what goes beside it, and what the end of the log ends and waits for. */
export class WorkSchedule {
  private readonly ending = new AbortController();
  private footers: Promise<void> = Promise.resolve();
  private work: Promise<void> = Promise.resolve();
  /** Backups that are being made: they read segment after segment. */
  private copies: Promise<unknown> = Promise.resolve();
  /** Scrubbing passes and verifications: nothing waits for them but the end of the log. */
  private passes: Promise<unknown> = Promise.resolve();

  /** `assertOpen` throws why no work begins any more. */
  constructor(private readonly assertOpen: () => void) {}

  /** Footers: one thing at a time. A failure leaves a segment without its footer, which the next open makes again. */
  inBackground(work: () => Promise<void>): void {
    this.footers = this.footers.then(work).catch(() => undefined);
  }

  /**
   * Work on sealed segments: one at a time, and behind the footers that are being written. An unlink or a rename of it waits until the work before it
   * is done with its files.
   */
  exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.work.then(async () => {
      await this.footers;
      this.assertOpen();
      return work();
    });
    this.work = settled(done);
    return done;
  }

  /** As `exclusively`, but work on segments may go on beside it: they are kept by a pin, which `copy` takes before it first waits. */
  async beside<Result>(copy: () => Promise<Result>): Promise<Result> {
    await this.work;
    await this.footers;
    this.assertOpen();
    const done = copy();
    this.copies = Promise.all([this.copies, settled(done)]);
    return done;
  }

  /** Reading of segments that ends with the log, and that the end of the log waits for. Throws `WAL_CLOSED`. */
  async pass<Report>(reading: () => Promise<Report>): Promise<Report> {
    if (this.isEnding) throw walClosed();
    const done = reading();
    this.passes = Promise.all([this.passes, settled(done)]);
    return done;
  }

  /** Long work does not hold up the end of the log: it is cancelled, and goes on when it is asked for again. */
  endingWithLog<Options extends Pick<WorkOptions, 'signal'>>(options: Options): Options {
    const { signal } = this.ending;
    const own = options.signal === undefined ? signal : AbortSignal.any([options.signal, signal]);
    return { ...options, signal: own };
  }

  get isEnding(): boolean {
    return this.ending.signal.aborted;
  }

  end(): void {
    this.ending.abort();
  }

  async copiesEnded(): Promise<void> {
    await this.copies;
  }

  async workEnded(): Promise<void> {
    await this.work;
    await this.copies;
    await this.footers;
  }

  async passesEnded(): Promise<void> {
    await this.passes;
  }
}

function settled(work: Promise<unknown>): Promise<void> {
  return work.then(
    () => undefined,
    () => undefined,
  );
}

import type { MonotonicClock } from '@holdfast/kernel';
import type { JobProgress, JobUnit } from './job.js';

/** The rate is taken over about this long, so that it follows what happens now. */
const WINDOW_MILLIS = 5_000;
const SAMPLES_MAX = 32;

interface Sample {
  readonly atMillis: number;
  readonly done: number;
}

/** How far work has come, how fast it goes, and when it will be done. */
export class ProgressMeter {
  private last:
    { readonly done: number; readonly total: number; readonly unit: JobUnit } | undefined;
  private samples: Sample[] = [];

  constructor(private readonly clock: Pick<MonotonicClock, 'monotonicMillis'>) {}

  update(done: number, total: number, unit: JobUnit): void {
    // Another unit is another stage of the work, with a rate of its own.
    if (this.last !== undefined && (this.last.unit !== unit || done < this.last.done))
      this.samples = [];
    this.last = { done, total, unit };
    const atMillis = this.clock.monotonicMillis();
    const newest = this.samples.at(-1);
    if (newest !== undefined && atMillis - newest.atMillis < WINDOW_MILLIS / SAMPLES_MAX) return;
    this.samples.push({ atMillis, done });
    // One older than the window stays, as the window's beginning.
    while ((this.samples[1]?.atMillis ?? Infinity) < atMillis - WINDOW_MILLIS) this.samples.shift();
  }

  progress(): JobProgress | undefined {
    if (this.last === undefined) return undefined;
    const { done, total, unit } = this.last;
    const perSecond = this.perSecond(done);
    const known = perSecond > 0 && total > 0;
    const secondsLeft = known ? Math.max(0, total - done) / perSecond : undefined;
    return { done, total, unit, perSecond, secondsLeft };
  }

  private perSecond(done: number): number {
    const [oldest] = this.samples;
    const newest = this.samples.at(-1);
    if (oldest === undefined || newest === undefined) return 0;
    const millis = newest.atMillis - oldest.atMillis;
    return millis > 0 ? ((done - oldest.done) * 1_000) / millis : 0;
  }
}

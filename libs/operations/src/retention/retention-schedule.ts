import { errorCode } from '@holdfast/kernel';
import type { Jobs } from '../jobs/jobs.js';
import type { LogRetention, RetentionReport } from './log-retention.js';

/** Applies the policy now and then, as a job like any other, so that it never runs beside one that moves segments too. */
export class RetentionSchedule {
  private readonly timer: NodeJS.Timeout | undefined;

  /** With `keep-all` nothing is ever due. */
  constructor(
    private readonly retention: LogRetention,
    private readonly jobs: Jobs,
    intervalMillis: number,
  ) {
    if (retention.policy === 'keep-all') return;
    this.timer = setInterval(() => this.begin(), intervalMillis).unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private begin(): void {
    // One that waits or runs will do what this one would.
    if (this.jobs.has('retention')) return;
    // What a wrong clock lets go does not come back. A later time will do.
    if (this.retention.isClockInDoubt) return;
    try {
      this.jobs.start('retention', 'changes', (context) => this.retention.apply(context), {
        uneventful: (report) => (report as RetentionReport).removal.segments.length === 0,
      });
    } catch (error) {
      // Too many jobs wait, or the service is stopping: the next time will do.
      if (!(errorCode(error)?.startsWith('JOBS_') ?? false)) throw error;
    }
  }
}

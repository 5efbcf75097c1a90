import type { SnapshotProgress } from './snapshot-work.js';
import { snapshotCancelled } from '../../event-store.errors.js';

export interface SnapshotOptions {
  /** Fires when the caller does not want it any more. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: SnapshotProgress) => void;
}

/** One run, and those who wait for it. */
interface Run<Report> {
  readonly report: Promise<Report>;
  readonly cancelling: AbortController;
  readonly tellers: Set<(progress: SnapshotProgress) => void>;
  waiting: number;
}

/**
 * One snapshot at a time, shared by everybody who asks for one while it is made: the schedule and an operator. Who cancels leaves the others
 * their snapshot; the last one to leave ends it.
 */
export class SharedSnapshot<Report> {
  private run: Run<Report> | undefined;

  constructor(private readonly take: (options: Required<SnapshotOptions>) => Promise<Report>) {}

  get isRunning(): boolean {
    return this.run !== undefined;
  }

  /** Rejects with `EVENT_CANCELLED` once `signal` has fired: when the run has ended, if nobody else waits for it, or at once. */
  async join({ signal, onProgress }: SnapshotOptions = {}): Promise<Report> {
    // One that everybody has left is not joined: another begins once it has ended.
    while (this.run?.cancelling.signal.aborted === true) await this.settled();
    if (signal?.aborted === true) throw snapshotCancelled();
    const run = (this.run ??= this.begin());
    if (onProgress !== undefined) run.tellers.add(onProgress);
    run.waiting += 1;
    const left = Promise.withResolvers<never>();
    const leave = (): void => {
      run.waiting -= 1;
      if (run.waiting === 0) run.cancelling.abort();
      else left.reject(snapshotCancelled());
    };
    signal?.addEventListener('abort', leave, { once: true });
    try {
      return await Promise.race([run.report, left.promise]);
    } finally {
      signal?.removeEventListener('abort', leave);
      if (onProgress !== undefined) run.tellers.delete(onProgress);
    }
  }

  /** Everything of it has ended; what came of it is for those who asked. */
  async settled(): Promise<void> {
    await this.run?.report.catch(() => undefined);
  }

  private begin(): Run<Report> {
    const cancelling = new AbortController();
    const tellers = new Set<(progress: SnapshotProgress) => void>();
    const onProgress = (progress: SnapshotProgress): void => {
      for (const tell of tellers) tell(progress);
    };
    const report = this.take({ signal: cancelling.signal, onProgress }).finally(
      () => (this.run = undefined),
    );
    // Whoever waits hears of it.
    report.catch(() => undefined);
    return { report, cancelling, tellers, waiting: 0 };
  }
}

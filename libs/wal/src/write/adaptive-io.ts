import type { IoMode } from '../wal.types.js';

export const SLOW_SYNC_MICROS = 5_000;
export const FAST_SYNC_MICROS = 2_500;
export const FAST_SYNCS_TO_SWITCH_BACK = 256;

/**
 * Where a commit writes and syncs. On the main thread one waiter gets twice the commits per second, because nothing hands over; but a sync that takes
 * long would hold up everything else. So: one slow sync switches to the thread pool, a long run of fast ones switches back. `observe` is called between
 * commits only, with nothing in flight.
 */
export class AdaptiveIo {
  private current: IoMode = 'synchronous';
  private fastRun = 0;

  constructor(private readonly fixed: IoMode | 'adaptive') {
    if (fixed !== 'adaptive') this.current = fixed;
  }

  get mode(): IoMode {
    return this.current;
  }

  observe(commitMicros: number): void {
    if (this.fixed !== 'adaptive') return;
    if (commitMicros > SLOW_SYNC_MICROS) this.current = 'asynchronous';
    this.fastRun = commitMicros <= FAST_SYNC_MICROS ? this.fastRun + 1 : 0;
    if (this.fastRun >= FAST_SYNCS_TO_SWITCH_BACK) this.current = 'synchronous';
  }
}

import type { Position } from '@holdfast/event-store';

interface Waiter {
  readonly position: Position;
  readonly deadlineMillis: number;
  readonly settle: (reached: boolean) => void;
}

/** Short enough that a query that waits for its own command does not feel it. */
const POLL_MILLIS = 4;

/** Any number of waits for a position, with one look every few milliseconds for all of them, and none while nobody waits. */
export class PositionWaiters {
  private readonly waiters = new Set<Waiter>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly position: () => Position) {}

  get waiting(): boolean {
    return this.waiters.size > 0;
  }

  /** True once the position is reached; false after the timeout, when the signal fires, or at the close. */
  wait(position: Position, timeoutMillis: number, signal?: AbortSignal): Promise<boolean> {
    if (this.position() >= position) return Promise.resolve(true);
    if (timeoutMillis <= 0 || signal?.aborted === true) return Promise.resolve(false);
    return new Promise((resolve) => {
      const abort = () => waiter.settle(false);
      const waiter: Waiter = {
        position,
        deadlineMillis: performance.now() + timeoutMillis,
        settle: (reached) => {
          signal?.removeEventListener('abort', abort);
          this.waiters.delete(waiter);
          resolve(reached);
        },
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.waiters.add(waiter);
      this.timer ??= setInterval(() => this.look(), POLL_MILLIS);
    });
  }

  /** Also called by whoever knows that the position has moved. */
  look(): void {
    if (this.waiters.size > 0) {
      const reached = this.position();
      const now = performance.now();
      for (const waiter of this.waiters)
        if (reached >= waiter.position) waiter.settle(true);
        else if (now >= waiter.deadlineMillis) waiter.settle(false);
    }
    if (this.waiters.size === 0) this.stop();
  }

  close(): void {
    for (const waiter of this.waiters) waiter.settle(false);
    this.stop();
  }

  private stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }
}

import type { OutletLease } from '../outlet-positions.js';

/** A lease that is kept alive while its holder waits for others. Its signal fires with the runner's, and when the lease is lost. */
export class HeldLease {
  private readonly leaving = new AbortController();
  private readonly timer: NodeJS.Timeout;
  private readonly leave = () => this.leaving.abort();
  private lost: { readonly why: unknown } | undefined;

  constructor(
    readonly lease: OutletLease,
    lookMillis: number,
    private readonly signalOfRunner: AbortSignal,
  ) {
    signalOfRunner.addEventListener('abort', this.leave, { once: true });
    if (signalOfRunner.aborted) this.leave();
    this.timer = setInterval(() => void this.look(), lookMillis);
  }

  get signal(): AbortSignal {
    return this.leaving.signal;
  }

  /** Throws what the lease was lost by, if it was. */
  assertHeld(): void {
    if (this.lost !== undefined) throw this.lost.why;
  }

  async end(): Promise<void> {
    clearInterval(this.timer);
    this.signalOfRunner.removeEventListener('abort', this.leave);
    this.leave();
    await this.lease.release();
  }

  private async look(): Promise<void> {
    try {
      await this.lease.renew();
    } catch (why) {
      this.lost ??= { why };
      this.leave();
    }
  }
}

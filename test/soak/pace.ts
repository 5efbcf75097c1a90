import { setTimeout } from 'node:timers/promises';

/** Most commands that may come at once after a silence, as seconds of the rate. */
const BURST_SECONDS = 0.5;

/** So many a second, shared by everybody who takes. */
export class Pace {
  private freeAtMillis = 0;

  constructor(private readonly perSecond: number) {}

  async take(count: number): Promise<void> {
    const now = performance.now();
    this.freeAtMillis =
      Math.max(this.freeAtMillis, now - BURST_SECONDS * 1_000) + (count / this.perSecond) * 1_000;
    if (this.freeAtMillis > now) await setTimeout(this.freeAtMillis - now);
  }
}

import { setTimeout } from 'node:timers/promises';

const POLL_MILLIS = 10;

/** How many requests have been taken and not yet answered to the last byte. */
export class RequestsInFlight {
  count = 0;

  /** True once there is none; false if that takes longer. */
  async none(withinMillis: number): Promise<boolean> {
    const giveUpAt = performance.now() + withinMillis;
    for (;;) {
      if (this.count === 0) return true;
      if (performance.now() >= giveUpAt) return false;
      await setTimeout(POLL_MILLIS);
    }
  }
}

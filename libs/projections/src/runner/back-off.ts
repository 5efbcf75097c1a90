import { setTimeout as sleep } from 'node:timers/promises';

const FIRST_MILLIS = 100;
const LAST_MILLIS = 5_000;

/** Pauses that double from a tenth of a second up to five seconds, until something has worked again. */
export class BackOff {
  private failures = 0;

  reset(): void {
    this.failures = 0;
  }

  /** Resolves early when the signal fires. */
  async pause(signal: AbortSignal): Promise<void> {
    const { failures } = this;
    this.failures += 1;
    await pause(failures, signal);
  }
}

/** The pause after so many failures before it; a little random, so that many workers do not come back as one. */
export async function pause(
  failures: number,
  signal: AbortSignal,
  lastMillis = LAST_MILLIS,
): Promise<void> {
  const whole = Math.min(FIRST_MILLIS * 2 ** Math.min(failures, 30), lastMillis);
  const millis = whole * (0.8 + 0.2 * Math.random());
  await sleep(millis, undefined, { signal }).catch(() => undefined);
}

import { setTimeout as sleep } from 'node:timers/promises';

const TRIES = 500;
const PAUSE_MILLIS = 10;

/** Waits until the check passes; throws what it throws at last. */
export async function eventually(check: () => void): Promise<void> {
  for (let tries = 0; tries < TRIES; tries += 1)
    try {
      check();
      return;
    } catch {
      await sleep(PAUSE_MILLIS);
    }
  check();
}

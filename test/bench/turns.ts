import { setImmediate } from 'node:timers/promises';

/** How long others had to wait for the event loop, in milliseconds. */
export interface Turns {
  readonly longest: number;
  /** One part in a hundred of the time belongs to turns longer than this. */
  readonly p99: number;
}

/** Shorter ones are only summed up: a list of them all would make garbage, whose collection it would then measure. */
const NOTED_MILLIS = 0.1;

/**
 * The turns of the event loop while `work` is under way, from one immediate to the next: a timer cannot see a turn of a millisecond, since it is late by as
 * much. It keeps one core busy. What the system gives to others meanwhile counts too, some milliseconds at a time.
 */
export async function turnsWhile(work: Promise<unknown>): Promise<Turns> {
  const under = { way: true };
  const ended = work.finally(() => (under.way = false));
  const noted: number[] = [];
  const startedAt = performance.now();
  let seenAt = startedAt;
  while (under.way) {
    await setImmediate();
    const now = performance.now();
    if (now - seenAt > NOTED_MILLIS) noted.push(now - seenAt);
    seenAt = now;
  }
  await ended;
  return turnsOf(noted, seenAt - startedAt);
}

function turnsOf(noted: number[], total: number): Turns {
  noted.sort((a, b) => b - a);
  let above = 0;
  const p99 = noted.find((turn) => (above += turn) >= total / 100) ?? NOTED_MILLIS;
  return { longest: noted[0] ?? NOTED_MILLIS, p99 };
}

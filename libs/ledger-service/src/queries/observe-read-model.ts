import { type MonotonicClock, errorCode, errorMessage, systemClock } from '@holdfast/kernel';
import type { Health, HealthResult } from '@holdfast/platform';
import type { FeedCursor } from '@holdfast/projections';
import { type LogSight, divergenceFrom } from './ledger-reader.js';
import type { ReadModelSight } from './read-model-sight.js';

/** Seen behind the log and not moved for so long: whoever fills it needs an operator. */
const STILL_MILLIS_MAX = 30_000;

interface Stand {
  readonly position: number;
  /** The first look that found something to fill in here. Nobody knows what was between two looks. */
  behindSinceMillis: number | undefined;
}

/** What a process of queries tells of its read model: whether it may be answered from, and how far it is behind. */
export function observeReadModel(
  readModel: ReadModelSight,
  log: LogSight | undefined,
  health: Health,
  clock: Pick<MonotonicClock, 'monotonicMillis'> = systemClock,
): void {
  let stand: Stand = { position: -1, behindSinceMillis: undefined };
  let lookedAtMillis: number | undefined;
  health.register('read-model', async (): Promise<HealthResult> => {
    // The log first: what the read model reaches meanwhile is no lag.
    const seen = await log?.ask();
    let cursor: FeedCursor | undefined;
    try {
      cursor = await readModel.cursor();
    } catch (error) {
      // What is thrown says why it cannot be read. Slow queries are no reason to take commands, and what else is asked, away from this process.
      if (lookedAtMillis === undefined || errorCode(error) !== 'QUERIES_SLOW') throw error;
      const agoMillis = clock.monotonicMillis() - lookedAtMillis;
      const last = `it was last seen ${secondsOf(agoMillis)} s ago, at position ${stand.position}`;
      return { degraded: `${errorMessage(error)}; ${last}` };
    }
    lookedAtMillis = clock.monotonicMillis();
    const divergence = await divergenceFrom(log, cursor);
    if (divergence !== undefined) return divergence.message;
    const position = cursor?.position ?? 0;
    const behind = (seen?.durablePosition ?? 0) - position;
    // What has nothing to do does not stand still.
    if (position !== stand.position || behind <= 0)
      stand = { position, behindSinceMillis: undefined };
    if (behind <= 0) return true;
    const now = clock.monotonicMillis();
    const stillMillis = now - (stand.behindSinceMillis ??= now);
    if (stillMillis < STILL_MILLIS_MAX) return true;
    const still = `at position ${position} for ${secondsOf(stillMillis)} s`;
    // What it shows is true, of an earlier moment, and every answer says of which.
    return { degraded: `nobody fills it: ${still}, and the log is ${behind} further` };
  });
  health.tell('readModelPosition', () => readModel.position());
  health.tell('readModelLagEvents', async () => {
    const seen = await log?.ask();
    const cursor = await readModel.cursor();
    if (seen === undefined || cursor === undefined) return undefined;
    if ((await divergenceFrom(log, cursor)) !== undefined) return undefined;
    return Math.max(0, seen.durablePosition - cursor.position);
  });
}

function secondsOf(millis: number): number {
  return Math.round(millis / 1_000);
}

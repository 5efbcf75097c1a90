import { type Clock, errorCode } from '@holdfast/kernel';
import { classified } from '../../read-model.errors.js';
import type { GenerationTimes } from '../generations/generation-times.js';
import { bookkeepingOf, isPrepared } from './sqlite-bookkeeping.js';
import type { SqliteCatalog } from './sqlite-catalog.js';
import { SqliteConnection } from './sqlite-connection.js';

/** Removes what was replaced, and retires what a newer version has superseded, each after its time. */
export function sweep(
  catalog: SqliteCatalog,
  {
    clock,
    graceMillis,
    olderVersionMillis,
  }: Pick<GenerationTimes, 'graceMillis' | 'olderVersionMillis'> & { readonly clock: Clock },
): void {
  const now = clock.nowMillis();
  const since = now - olderVersionMillis;
  catalog.retireSuperseded(since, (path) => leaseUntil(path) > since);
  catalog.sweep(now - graceMillis);
}

/** When the last lease on a generation ended, or will end if nobody renews it. Long ago where there is nothing to keep, as in a damaged file; never where it cannot be told now. */
function leaseUntil(path: string): number {
  try {
    const until = (tables: SqliteConnection): number => bookkeepingOf(tables).lease_until;
    return SqliteConnection.reading(path, isPrepared, until) ?? -Infinity;
  } catch (error) {
    return errorCode(classified(path, error)) === 'READ_MODEL_DAMAGED' ? -Infinity : Infinity;
  }
}

import { assert } from '@holdfast/kernel';
import type { SqlProjection } from '../../projection.js';

/** What a store of read models goes by, whatever it keeps them in. */
export interface GenerationTimes {
  /** How long a lease outlives a holder that is stuck but not dead; a dead one is followed at once. Default 5,000. */
  readonly leaseMillis: number;
  /** How long replaced tables stay for queries that still read them. Default 60,000. */
  readonly graceMillis: number;
  /** How long the tables of an older version stay, after a newer one has taken over and nobody has kept them up any more. Default 24 hours. */
  readonly olderVersionMillis: number;
}

const LEASE_MILLIS = 5_000;
const GRACE_MILLIS = 60_000;
const OLDER_VERSION_MILLIS = 24 * 60 * 60 * 1_000;
/** How often a worker that waits looks again. */
export const WAITING_POLL_MILLIS = 100;

export function timesOf({
  leaseMillis = LEASE_MILLIS,
  graceMillis = GRACE_MILLIS,
  olderVersionMillis = OLDER_VERSION_MILLIS,
}: Partial<GenerationTimes>): GenerationTimes {
  return { leaseMillis, graceMillis, olderVersionMillis };
}

export function assertValid({
  name,
  version,
  handles,
}: Pick<SqlProjection<unknown>, 'name' | 'version' | 'handles'>): void {
  assert(
    /^[a-z][a-z0-9-]{0,62}$/.test(name),
    `the name of a projection is 1 to 63 lower-case letters, digits and hyphens, the first a letter: ${JSON.stringify(name)} is not`,
  );
  assert(Number.isSafeInteger(version) && version >= 1, 'versions of a projection are 1, 2, 3 …');
  assert(handles.length > 0, 'a projection handles at least one event type');
}

import type { StateStore } from '@holdfast/event-store';
import { defined } from '@holdfast/kernel';
import { ledgerSections } from './ledger-state.js';

/** How long a key is known when its command does not say otherwise. */
export const KEY_RETENTION_MILLIS_DEFAULT = 30 * 24 * 60 * 60 * 1_000;

/**
 * Keys forgotten with each event. Two, while an event brings one at most: so however many have expired, they become fewer with every event, and
 * none costs more than another.
 */
const FORGOTTEN_KEYS_MAX = 2;

const ENDS = 'ends';

/** Behind all keys that are known. */
export function queueKey(
  key: string,
  position: number,
  expiresAtMillis: number,
  state: StateStore,
): void {
  const queue = ledgerSections.commandKeyQueue(state);
  const [first, next] = endsOf(state);
  queue.set(String(next), [key, position, expiresAtMillis]);
  ledgerSections.commandKeyQueueEnds(state).set(ENDS, [first, next + 1]);
}

/**
 * Forgets keys that have expired by the time of an event, oldest first. A key behind one that expires later waits for it; nobody sees that, because
 * an expired key is as good as none.
 */
export function forgetExpiredKeys(recordedAtMillis: number, state: StateStore): void {
  const queue = ledgerSections.commandKeyQueue(state);
  const keys = ledgerSections.commandKeys(state);
  const [before, next] = endsOf(state);
  let first = before;
  while (first < next && first < before + FORGOTTEN_KEYS_MAX) {
    const [key, position, expiresAtMillis] = defined(queue.get(String(first)), 'a queued key');
    if (expiresAtMillis > recordedAtMillis) break;
    // It may have been used again since, and then stands in the queue once more.
    if (keys.get(key)?.position === position) keys.delete(key);
    queue.delete(String(first));
    first++;
  }
  if (first > before) ledgerSections.commandKeyQueueEnds(state).set(ENDS, [first, next]);
}

function endsOf(state: StateStore): readonly [first: number, next: number] {
  return ledgerSections.commandKeyQueueEnds(state).get(ENDS) ?? [0, 0];
}

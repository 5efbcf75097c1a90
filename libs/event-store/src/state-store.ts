import { type EventStoreError, invalid } from './event-store.errors.js';

/**
 * The write side's state: a synchronous key-value store in named sections, folded from the log.
 *
 * Values are replaced, never mutated: a checkpoint freezes a generation of them while decisions go on. State at a
 * position is a pure function of the events up to it, so an implementation may be dropped and refilled at any time.
 */
export interface StateStore {
  /** The section of that name, created on first use. Two calls with one name share their entries. */
  section<Value extends object | string | number>(name: string): StateSection<Value>;
}

/** One kind of entry: accounts, idempotency keys, index chunks. */
export interface StateSection<Value> {
  /**
   * Undefined under a key that is not well-formed Unicode: nothing is stored there.
   *
   * @throws `EVENT_STATE_DAMAGED`, `EVENT_STATE_UNAVAILABLE`, `EVENT_LOG_CLOSED`: of a checkpointed state.
   */
  get(key: string): Value | undefined;
  /**
   * Sets the value under a key.
   *
   * @throws `EVENT_INVALID`: the key is not well-formed Unicode, and would be another one when written as bytes.
   */
  set(key: string, value: Value): void;
  delete(key: string): void;
  /**
   * Whether there is, or was, a key that begins with `prefix`. Undefined if unknown, because the absence of a key cannot be trusted yet. Searches
   * everything in memory: keep the answer.
   */
  hasBeginning(prefix: string): boolean | undefined;
}

/** Nearly every key is ASCII, of which V8 knows it without looking. */
export function isKey(key: string): boolean {
  return key.isWellFormed();
}

export function invalidKey(key: string): EventStoreError {
  return invalid('the key of an entry is not well-formed Unicode', { key: key.toWellFormed() });
}

export function someKeyBegins(entries: ReadonlyMap<string, unknown>, prefix: string): boolean {
  for (const key of entries.keys()) if (key.startsWith(prefix)) return true;
  return false;
}

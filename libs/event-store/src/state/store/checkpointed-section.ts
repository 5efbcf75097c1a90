import { crc32 } from 'node:zlib';
import { defined } from '@holdfast/kernel';
import type { StateDatabase } from '../database/state-database.js';
import { CHECKSUM_BYTES, KEY_LENGTH_BYTES } from '../model/state-entry.js';
import { StateKeyWriter } from './state-key.js';
import { type StateSection, invalidKey, isKey, someKeyBegins } from '../../state-store.js';

/** In the place of a value: there is none, whatever is below. */
export const ABSENT = Symbol('absent');

export type StateValue = object | string | number;
export type Layer = Map<string, StateValue | typeof ABSENT>;

/** What sections share, and the store that they are of keeps. */
export interface SectionOwner {
  /** Throws `EVENT_LOG_CLOSED`. */
  assertOpen(): void;
  /** Undefined while no checkpoint has written anything. */
  readonly populated: StateDatabase | undefined;
  /** Entries in the active layers of all sections. */
  activeEntries: number;
  /** One more value was loaded into the cache. */
  loaded(): void;
  /** It was read through: what is not found in the database is not there. */
  readonly isTrusted: boolean;
  /** The database says that there is no such key: returns if that can be believed. */
  assertAbsent(key: Buffer): void;
  /** Reading from the database has failed. Does not return. */
  unreadable(cause: unknown): never;
  /** Does not return. */
  damaged(reason: string, cause?: unknown): never;
}

/**
 * One section of checkpointed state. From the top: `active` takes changes; `frozen` layers wait for their checkpoints, oldest first; `young`
 * and `old` hold what was read from the database; `retired` holds what the last checkpoint wrote; then the database.
 *
 * Invariant: what a layer below `frozen` holds is what the database holds, unless a frozen layer has the key. A change removes its key from the
 * values that were read, nothing is read from the database while a layer above has it, and a layer retires only once the database has it, in the
 * place of the one before it.
 */
export class CheckpointedSection implements StateSection<StateValue> {
  private active: Layer = new Map();
  private readonly frozen: Layer[] = [];
  private retired: Layer = new Map();
  private young: Layer = new Map();
  private old: Layer = new Map();
  private readonly keys: StateKeyWriter;

  constructor(
    name: string,
    private readonly owner: SectionOwner,
  ) {
    this.keys = new StateKeyWriter(name);
  }

  get(key: string): StateValue | undefined {
    this.owner.assertOpen();
    const value = this.active.get(key) ?? this.fromFrozen(key) ?? this.below(key);
    return value === ABSENT ? undefined : value;
  }

  set(key: string, value: StateValue): void {
    this.change(key, value);
  }

  delete(key: string): void {
    if (isKey(key)) this.change(key, ABSENT);
  }

  /** What was read, and what retired, is in the database too. A key that was deleted since is found as well. */
  hasBeginning(prefix: string): boolean | undefined {
    this.owner.assertOpen();
    const { populated, isTrusted } = this.owner;
    // Before the layers: an answer that cannot be kept must cost nothing, however much they hold.
    if (populated !== undefined && !isTrusted) return undefined;
    if ([this.active, ...this.frozen].some((layer) => someKeyBegins(layer, prefix))) return true;
    return populated !== undefined && this.isBeginningIn(populated, prefix);
  }

  /** The changes so far, which from now on never change again. */
  freeze(): Layer {
    const layer = this.active;
    this.frozen.push(layer);
    this.active = new Map();
    return layer;
  }

  /** The database has what was frozen first. */
  retire(): void {
    this.retired = defined(this.frozen.shift(), 'a frozen layer');
  }

  /** Half of what was read is forgotten. */
  age(): void {
    this.old = this.young;
    this.young = new Map();
  }

  imageHeadOf(key: string): Buffer {
    return this.keys.imageHeadOf(key);
  }

  private change(key: string, value: StateValue | typeof ABSENT): void {
    if (!isKey(key)) throw invalidKey(key);
    const { size } = this.active;
    this.active.set(key, value);
    this.owner.activeEntries += this.active.size - size;
    if (!this.young.delete(key)) this.old.delete(key);
  }

  private fromFrozen(key: string): StateValue | typeof ABSENT | undefined {
    for (let at = this.frozen.length - 1; at >= 0; at--) {
      const value = this.frozen[at]?.get(key);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  private below(key: string): StateValue | typeof ABSENT {
    const young = this.young.get(key);
    if (young !== undefined) return young;
    const known = this.old.get(key) ?? this.retired.get(key);
    if (known !== undefined) return known;
    const { populated } = this.owner;
    // Half of a surrogate pair would be looked up as U+FFFD: another's entry.
    if (populated === undefined || !isKey(key)) return ABSENT;
    const value = this.read(populated, key);
    this.young.set(key, value);
    this.owner.loaded();
    return value;
  }

  /** Keys are in order there. One of more than `KEY_BYTES_MAX` is not found by its beginning; no tag and no name of a stream is that long. */
  private isBeginningIn(database: StateDatabase, prefix: string): boolean {
    const start = Buffer.from(this.keys.imageHeadOf(prefix).subarray(KEY_LENGTH_BYTES));
    try {
      const [first] = database.getKeys({ start, limit: 1 });
      return first !== undefined && start.equals(first.subarray(0, start.length));
    } catch (cause) {
      return this.owner.unreadable(cause);
    }
  }

  private read(database: StateDatabase, key: string): StateValue | typeof ABSENT {
    const head = this.keys.imageHeadOf(key);
    const keyBytes = head.subarray(KEY_LENGTH_BYTES);
    const stored = fetched(database, keyBytes, this.owner);
    if (stored === undefined) {
      this.owner.assertAbsent(keyBytes);
      return ABSENT;
    }
    if (stored.length <= CHECKSUM_BYTES) return this.owner.damaged('a value is too short');
    const text = stored.toString('utf8', CHECKSUM_BYTES, stored.length);
    // Before anybody sees it: one flipped bit in a balance would be a wrong decision.
    if (crc32(text, crc32(head)) !== stored.readUInt32LE(0))
      return this.owner.damaged('a value fails its checksum');
    return JSON.parse(text) as StateValue;
  }
}

function fetched(database: StateDatabase, key: Buffer, owner: SectionOwner): Buffer | undefined {
  try {
    // A view of the database's own buffer, which dies with the next read.
    return database.getBinaryFast(key);
  } catch (cause) {
    return owner.unreadable(cause);
  }
}

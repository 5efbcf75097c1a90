import {
  type StateSection,
  type StateStore,
  invalidKey,
  isKey,
  someKeyBegins,
} from '../../state-store.js';

/**
 * The most entries that one JavaScript `Map` is given. V8 refuses more than 2^24 with a RangeError, and that would come
 * after a commit was admitted; so a section beyond this goes on in a further map.
 */
export const MAP_ENTRIES_MAX = 2 ** 23;

/**
 * State in memory, refilled by replay at every start. Bounded by memory alone: for tests, and for logs of some million
 * events.
 */
export class InMemoryStateStore implements StateStore {
  private readonly sections = new Map<string, InMemorySection>();

  constructor(private readonly mapEntriesMax = MAP_ENTRIES_MAX) {}

  section<Value extends object | string | number>(name: string): StateSection<Value> {
    let section = this.sections.get(name);
    if (section === undefined) {
      section = new InMemorySection(this.mapEntriesMax);
      this.sections.set(name, section);
    }
    // The caller names the type of a section's values; the entries themselves do not know it.
    return section as StateSection<Value>;
  }
}

class InMemorySection implements StateSection<unknown> {
  private newest = new Map<string, unknown>();
  /** Full maps, or such that were. A key is in one map at most. */
  private readonly older: Map<string, unknown>[] = [];

  constructor(private readonly mapEntriesMax: number) {}

  get(key: string): unknown {
    const value = this.newest.get(key);
    if (value !== undefined || this.older.length === 0) return value;
    return this.older.find((map) => map.has(key))?.get(key);
  }

  set(key: string, value: unknown): void {
    if (!isKey(key)) throw invalidKey(key);
    this.mapFor(key).set(key, value);
  }

  delete(key: string): void {
    if (this.newest.delete(key)) return;
    this.older.find((map) => map.delete(key));
  }

  hasBeginning(prefix: string): boolean {
    return [this.newest, ...this.older].some((map) => someKeyBegins(map, prefix));
  }

  /** The map that holds the key; for a new one, a map with room. */
  private mapFor(key: string): Map<string, unknown> {
    if (this.newest.size < this.mapEntriesMax && this.older.length === 0) return this.newest;
    const holding = this.newest.has(key) ? this.newest : this.older.find((map) => map.has(key));
    if (holding !== undefined) return holding;
    if (this.newest.size >= this.mapEntriesMax) {
      this.older.push(this.newest);
      this.newest = new Map();
    }
    return this.newest;
  }
}

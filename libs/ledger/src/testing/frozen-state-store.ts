import type { StateSection, StateStore } from '@holdfast/event-store';

/**
 * State for tests: in memory, comparable as a whole, and strict. Values are frozen when they are set, so a fold that mutates
 * what a checkpoint may be writing throws on the spot.
 */
export class FrozenStateStore implements StateStore {
  private readonly sections: Map<string, Map<string, object | string | number>>;

  constructor(copyOf?: FrozenStateStore) {
    this.sections = new Map(
      Array.from(copyOf?.sections ?? [], ([name, entries]) => [name, new Map(entries)]),
    );
  }

  section<Value extends object | string | number>(name: string): StateSection<Value> {
    let entries = this.sections.get(name);
    if (entries === undefined) {
      entries = new Map();
      this.sections.set(name, entries);
    }
    const values = entries;
    return {
      // A section holds what was set through it, and all its users name one type.
      get: (key) => values.get(key) as Value | undefined,
      set: (key, value) => void values.set(key, deepFrozen(value)),
      delete: (key) => void values.delete(key),
      hasBeginning: (prefix) => Array.from(values.keys()).some((key) => key.startsWith(prefix)),
    };
  }

  /** Every entry, as `section/key`. */
  image(): Readonly<Record<string, unknown>> {
    const image: Record<string, unknown> = {};
    for (const [name, values] of this.sections) {
      for (const [key, value] of values) image[`${name}/${key}`] = value;
    }
    return image;
  }
}

function deepFrozen<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.values(value).forEach(deepFrozen);
    Object.freeze(value);
  }
  return value;
}

import { deepStrictEqual } from 'node:assert';
import { InMemoryStateStore, type StateSection, type StateStore } from '@holdfast/event-store';
import { deepFrozen } from '../deciders/deep-frozen.js';

/** State in memory that gives back what a checkpoint would: what is not plain JSON is refused when it is set, not after the first restart, and nothing can be mutated. */
export class PlainStateStore implements StateStore {
  private readonly inner = new InMemoryStateStore();

  section<Value extends object | string | number>(name: string): StateSection<Value> {
    const section = this.inner.section<Value>(name);
    return {
      get: (key) => section.get(key),
      delete: (key) => section.delete(key),
      hasBeginning: (prefix) => section.hasBeginning(prefix),
      set: (key, value) => {
        deepStrictEqual(
          JSON.parse(JSON.stringify(value)),
          value,
          `the state of ${name.replace('of/', '')} must be plain JSON, or it is another one after a restart`,
        );
        section.set(key, deepFrozen(value));
      },
    };
  }
}

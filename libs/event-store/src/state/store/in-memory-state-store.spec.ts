import { describe, expect, it } from '@jest/globals';
import { InMemoryStateStore } from './in-memory-state-store.js';
import { describeStateStore } from '../../testing/state-store.contract.js';

describeStateStore('in memory', () => new InMemoryStateStore());
describeStateStore('in memory, across many maps', () => new InMemoryStateStore(100));

describe('the state store in memory', () => {
  it('fills the room of deleted entries before it takes another map', () => {
    const store = new InMemoryStateStore(2);
    const section = store.section<number>('a');
    for (let key = 0; key < 1_000; key++) {
      section.set(`key-${key}`, key);
      section.delete(`key-${key - 1}`);
    }
    expect([section.get('key-998'), section.get('key-999')]).toEqual([undefined, 999]);
  });
});

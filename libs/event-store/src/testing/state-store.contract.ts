import { beforeEach, describe, expect, it } from '@jest/globals';
import type { StateStore } from '../state-store.js';

/** What every state store must do. `open` gives an empty one. */
export function describeStateStore(
  name: string,
  open: () => StateStore | Promise<StateStore>,
): void {
  describe(`the state store contract: ${name}`, () => {
    let store: StateStore;

    beforeEach(async () => {
      store = await open();
    });

    it('has nothing under a key that was never set', () => {
      expect(store.section<number>('a').get('x')).toBeUndefined();
    });

    it.each([
      ['a number', 0],
      ['a negative fraction', -1.5],
      ['a number beyond 32 bits', 2 ** 53 - 1],
      ['a text', 'text €𝄞'],
      ['the empty text', ''],
      ['an object', { a: 1, b: { c: ['d', null, true] } }],
      ['an array of numbers', [1, 2 ** 40, 3]],
      ['an empty array', []],
    ])('gives back %s', (_, value) => {
      const section = store.section<object | string | number>('values');
      section.set('key', value);
      expect(section.get('key')).toEqual(value);
    });

    it('replaces a value, deletes it, and may be given it again', () => {
      const section = store.section<number>('a');
      section.set('x', 1);
      section.set('x', 2);
      const replaced = section.get('x');
      section.delete('x');
      const deleted = section.get('x');
      section.set('x', 3);
      expect([replaced, deleted, section.get('x')]).toEqual([2, undefined, 3]);
    });

    it('ignores the deletion of what is not there', () => {
      const section = store.section<number>('a');
      section.delete('x');
      expect(section.get('x')).toBeUndefined();
    });

    it('keeps sections apart, and shares the entries of one that is asked for twice', () => {
      store.section<number>('a').set('x', 1);
      store.section<number>('ab').set('x', 2);
      store.section<number>('').set('ax', 3);
      const seen = ['a', 'ab', ''].map((name) => store.section<number>(name).get('x'));
      expect(seen).toEqual([1, 2, undefined]);
    });

    it.each(['', ' ', '0', '__proto__', 'constructor', 'a\0b', '€'.repeat(200), 'k'.repeat(600)])(
      'takes any text up to 600 bytes for a key: %p',
      (key) => {
        const section = store.section<string>('keys');
        section.set(key, 'value');
        section.set(`${key}!`, 'other');
        expect([section.get(key), section.get(`${key}!`)]).toEqual(['value', 'other']);
      },
    );

    it('refuses a key that is not well-formed Unicode, and knows of nothing under it', () => {
      const section = store.section<string>('keys');
      section.set('a\ufffd', 'of another key');
      expect(() => section.set('a\ud800', 'value')).toThrow(
        expect.objectContaining({ code: 'EVENT_INVALID' }),
      );
      section.delete('a\ud800');
      expect(section.get('a\ud800')).toBeUndefined();
      expect(section.get('a\ufffd')).toBe('of another key');
    });

    it('does not hand out a value that changed after it was replaced', () => {
      const section = store.section<readonly number[]>('a');
      section.set('x', [1]);
      const before = section.get('x');
      section.set('x', [1, 2]);
      expect([before, section.get('x')]).toEqual([[1], [1, 2]]);
    });

    it('finds each of many keys, after some were replaced and some deleted', () => {
      const section = store.section<number>('many');
      for (let key = 0; key < 5_000; key++) section.set(`key-${key}`, key);
      for (let key = 0; key < 5_000; key += 3) section.set(`key-${key}`, -key);
      for (let key = 0; key < 5_000; key += 5) section.delete(`key-${key}`);
      const wrong = Array.from({ length: 5_000 }, (_, key) => key).filter((key) => {
        const expected = key % 5 === 0 ? undefined : key % 3 === 0 ? -key : key;
        return section.get(`key-${key}`) !== expected;
      });
      expect(wrong).toEqual([]);
    });
  });
}

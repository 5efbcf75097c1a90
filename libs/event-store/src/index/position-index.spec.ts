import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Position } from '../event.js';
import { InMemoryStateStore } from '../state/store/in-memory-state-store.js';
import { CHUNK_POSITIONS, PositionIndex } from './position-index.js';
import type { StateSection, StateStore } from '../state-store.js';

const position = (value: number): Position => value as Position;

/** Lists with lengths around the borders of chunks, under terms that could be taken for one another's chunks. */
const TERMS = ['a', '1 a', '0 a', '', ' a', 'a\n1'] as const;

describe('the position index', () => {
  it('holds lists of every length, each apart from the others', () => {
    const index = new PositionIndex(new InMemoryStateStore(), 'test');
    const lists = TERMS.map((): number[] => []);
    for (let at = 1; at <= 5 * CHUNK_POSITIONS * TERMS.length; at++) {
      const term = (at * 7) % TERMS.length;
      lists[term]!.push(at);
      expect(index.append(TERMS[term]!, position(at))).toBe(lists[term]!.length);
    }
    expect(TERMS.map((term) => index.length(term))).toEqual(lists.map(({ length }) => length));
    expect(TERMS.map((term) => pagesOf(index, term).flat())).toEqual(lists);
    expect(index.length('none')).toBe(0);
  });

  it('counts the positions up to any other', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: 2 ** 40 }), { maxLength: 200 }),
        fc.array(fc.integer({ min: 0, max: 2 ** 40 }), { minLength: 20, maxLength: 20 }),
        (values, asked) => {
          const list = values.toSorted((a, b) => a - b);
          const index = new PositionIndex(new InMemoryStateStore(), 'test');
          for (const value of list) index.append('term', position(value));
          for (const upTo of [...asked, ...values.slice(0, 20), ...values.map((v) => v - 1)])
            expect(index.countUpTo('term', position(upTo))).toBe(
              list.filter((value) => value <= upTo).length,
            );
        },
      ),
    );
  });

  it('replaces its entries and never changes one, and keeps each of them small', () => {
    const kept: (readonly number[])[] = [];
    const copies: number[][] = [];
    const index = new PositionIndex(
      watched((value) => {
        if (!Array.isArray(value)) return;
        kept.push(value as number[]);
        copies.push([...(value as number[])]);
      }),
      'test',
    );
    for (let at = 1; at <= 4 * CHUNK_POSITIONS; at++) index.append('term', position(at));
    expect(kept).toEqual(copies);
    expect(Math.max(...kept.map(({ length }) => length))).toBeLessThanOrEqual(CHUNK_POSITIONS + 1);
  });
});

function pagesOf(index: PositionIndex, term: string): (readonly number[])[] {
  const pages: (readonly number[])[] = [];
  for (let at = 0; at < index.length(term);) {
    const { start, positions } = index.page(term, at);
    expect(start).toBe(at);
    pages.push(positions);
    at += positions.length;
  }
  return pages;
}

/** A store that shows every value it is given. */
function watched(see: (value: unknown) => void): StateStore {
  const store = new InMemoryStateStore();
  return {
    section<Value extends object | string | number>(name: string): StateSection<Value> {
      const section = store.section<Value>(name);
      return {
        get: (key) => section.get(key),
        delete: (key) => section.delete(key),
        hasBeginning: (prefix) => section.hasBeginning(prefix),
        set: (key, value) => {
          see(value);
          section.set(key, value);
        },
      };
    },
  };
}

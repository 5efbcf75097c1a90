import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonicalJson } from './canonical-json.js';

/** The same value with the members of every object in another order. */
function shuffled(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(shuffled);
  const members = Object.entries(value).map(([name, member]) => [name, shuffled(member)] as const);
  return Object.fromEntries(members.reverse());
}

describe('canonical JSON', () => {
  it('means what it was made from, and has one spelling for it', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(shuffled(value))).toBe(text);
      }),
    );
  });

  it('is different for different values', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
        const same = canonicalJson(one) === canonicalJson(other);
        expect(same).toBe(
          JSON.stringify(JSON.parse(canonicalJson(one))) ===
            JSON.stringify(JSON.parse(canonicalJson(other))),
        );
      }),
    );
  });

  it.each([
    ['a Buffer', Buffer.alloc(2)],
    ['a typed array', new Float64Array(1)],
    ['bytes', new ArrayBuffer(1)],
    ['a Map', new Map([[1, 1]])],
    ['a Date', new Date(0)],
    ['a bigint', 1n],
  ])('has no spelling for what is no JSON: %s', (_, value) => {
    expect(() => canonicalJson(value)).toThrow(TypeError);
    expect(() => canonicalJson({ in: [value] })).toThrow(TypeError);
  });

  it('spells an instance of a class as its members', () => {
    class Body {
      readonly a = 1;
    }
    expect(canonicalJson(new Body())).toBe('{"a":1}');
    expect(canonicalJson(Object.create(null))).toBe('{}');
  });

  it('leaves out what is undefined, and keeps what is null', () => {
    expect(canonicalJson({ b: undefined, a: null, c: [{ z: 1, y: '"' }] })).toBe(
      '{"a":null,"c":[{"y":"\\"","z":1}]}',
    );
  });
});

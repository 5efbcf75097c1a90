import { crc32 } from 'node:zlib';
import { runs } from '@holdfast/kernel/testing';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type CursorValue, decodeCursor, encodeCursor } from './cursor.js';

const isNumber = (value: unknown): value is number => typeof value === 'number';
const isAnything = (value: unknown): value is CursorValue => value !== undefined;

const refusal = expect.objectContaining({ name: 'ProblemException', slug: 'cursor-invalid' });

describe('cursors', () => {
  it('give back what they were made of', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 50 }), fc.jsonValue({ maxDepth: 3 }), (kind, value) => {
        const known = JSON.parse(JSON.stringify(value)) as CursorValue;
        const cursor = encodeCursor(kind, known);
        fc.pre(cursor.length <= 2048);
        expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/);
        expect(decodeCursor(kind, cursor, isAnything)).toEqual(known);
      }),
    );
  });

  it('are refused by another list than the one that gave them', () => {
    const cursor = encodeCursor('statement:alice', 7);
    expect(decodeCursor('statement:alice', cursor, isNumber)).toBe(7);
    expect(() => decodeCursor('statement:bob', cursor, isNumber)).toThrow(refusal);
  });

  it('are refused when their value is not of the kind that the list gives', () => {
    expect(() => decodeCursor('list', encodeCursor('list', '7'), isNumber)).toThrow(refusal);
  });

  it('are refused when one character was changed, added or taken away', () => {
    const cursor = encodeCursor('list', 1234567);
    fc.assert(
      fc.property(
        fc.nat(cursor.length - 1),
        fc.constantFrom('A', 'B', 'a', '0', '9', '_', '-', '=', '+', '/', ' ', '.', 'é'),
        fc.constantFrom('changed', 'added', 'taken away'),
        (at, character, how) => {
          const rest = cursor.slice(how === 'added' ? at : at + 1);
          const damaged = cursor.slice(0, at) + (how === 'taken away' ? '' : character) + rest;
          fc.pre(damaged !== cursor);
          expect(() => decodeCursor('list', damaged, isNumber)).toThrow(refusal);
        },
      ),
      { numRuns: runs({ short: 200, long: 2_000 }) },
    );
  });

  it.each(['', 'x', '7', 'null', '"list"', '{', '{"0":"list"}', '[', '[]', '["list"]', '\xff'])(
    'are refused with a good checksum over %p',
    (text) => {
      const content = Buffer.from(text, 'latin1');
      const checksum = Buffer.alloc(4);
      checksum.writeUInt32BE(crc32(content));
      const cursor = Buffer.concat([checksum, content]).toString('base64url');
      expect(() => decodeCursor('list', cursor, isNumber)).toThrow(refusal);
    },
  );

  it.each(['g9zvtzE', '', 'A', 'AAAA', 'AAAAAAAA', '!', 'null', 'x'.repeat(100_000)])(
    'are not %p',
    (text) => {
      expect(() => decodeCursor('list', text, isAnything)).toThrow(refusal);
    },
  );
});

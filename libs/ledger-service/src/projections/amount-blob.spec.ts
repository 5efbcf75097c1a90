import { runs } from '@holdfast/kernel/testing';
import { describe, expect, it } from '@jest/globals';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { amountBlob, amountOf } from './amount-blob.js';

/** Of every size: around zero, around each power of 256, 36 digits, and as wide as an amount may be. */
const amounts = fc.oneof(
  fc.bigInt({ min: -1_000n, max: 1_000n }),
  fc
    .tuple(fc.integer({ min: 0, max: 62 }), fc.bigInt({ min: -2n, max: 2n }), fc.boolean())
    .map(([power, offset, negative]) => (negative ? -1n : 1n) * (256n ** BigInt(power) + offset)),
  fc.bigInt({ min: -(10n ** 36n), max: 10n ** 36n }),
  fc.bigInt({ min: -(2n ** 504n) + 1n, max: 2n ** 504n - 1n }),
);

describe('amounts as bytes', () => {
  it('come back as they went', () => {
    fc.assert(
      fc.property(amounts, (amount) => {
        expect(amountOf(amountBlob(amount))).toBe(amount);
      }),
      { numRuns: runs({ short: 500, long: 2_000 }) },
    );
  });

  it('sort as bytes exactly as the amounts sort', () => {
    fc.assert(
      fc.property(amounts, amounts, (one, other) => {
        const order = one < other ? -1 : one > other ? 1 : 0;
        expect(Buffer.compare(amountBlob(one), amountBlob(other))).toBe(order);
      }),
      { numRuns: runs({ short: 500, long: 5_000 }) },
    );
  });

  it('sort in SQLite too, where integers this wide would become REAL', () => {
    const database = new Database(':memory:');
    try {
      database.exec('CREATE TABLE amounts (amount BLOB NOT NULL) STRICT');
      const insert = database.prepare('INSERT INTO amounts VALUES (?)');
      const inOrder = [
        -(10n ** 36n),
        -(2n ** 64n),
        -256n,
        -255n,
        -1n,
        0n,
        1n,
        255n,
        256n,
        10n ** 36n,
      ];
      for (const amount of inOrder.toReversed()) insert.run(amountBlob(amount));
      const sorted = database.prepare<[], Buffer>('SELECT amount FROM amounts ORDER BY amount');
      expect(sorted.pluck().all().map(amountOf)).toEqual(inOrder);
    } finally {
      database.close();
    }
  });

  it.each([
    [0n, '80'],
    [1n, '8101'],
    [255n, '81ff'],
    [256n, '820100'],
    [-1n, '7ffe'],
    [-256n, '7efeff'],
    [2n ** 48n, '8701000000000000'],
    [-(2n ** 48n), '79feffffffffffff'],
    [10n ** 36n, '8fc097ce7bc90715b34b9f1000000000'],
  ])('are frozen: %p is %p', (amount, hex) => {
    expect(amountBlob(amount).toString('hex')).toBe(hex);
  });

  it.each(['', '00', '7f', '81', '8100', '820001', '7fff', '8001', '81ff00', 'c1'])(
    'are refused when they are no amount: %p',
    (hex) => expect(() => amountOf(Buffer.from(hex, 'hex'))).toThrow('an amount'),
  );

  it('are refused beyond what bytes can say', () => {
    expect(() => amountBlob(2n ** 504n)).toThrow('63 bytes');
    expect(() => amountBlob(-(2n ** 504n))).toThrow('63 bytes');
  });
});

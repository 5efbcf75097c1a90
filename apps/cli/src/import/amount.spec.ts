import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseAmount } from './amount.js';

const PLAIN = { decimalMark: '.', groupMark: '' };
const ENGLISH = { decimalMark: '.', groupMark: ',' };
const GERMAN = { decimalMark: ',', groupMark: '.' };

describe('an amount in a file', () => {
  it.each([
    ['900.00', 2, PLAIN, '90000', false],
    ['0.29', 2, PLAIN, '29', false],
    ['-5343.6', 2, PLAIN, '534360', true],
    ['+7', 2, PLAIN, '700', false],
    ['007.10', 2, PLAIN, '710', false],
    ['0.00', 2, PLAIN, '0', false],
    ['12.5000', 1, PLAIN, '125', false],
    ['12.000', 0, PLAIN, '12', false],
    ['1,234,567.89', 2, ENGLISH, '123456789', false],
    ['1234567.89', 2, ENGLISH, '123456789', false],
    ['1.234,5', 2, GERMAN, '123450', false],
  ])('%s with scale %i is read by its digits', (text, scale, format, minorUnits, negative) => {
    expect(parseAmount(text, scale, format)).toEqual({ minorUnits, negative });
  });

  it.each([
    ['', 2, PLAIN],
    ['-', 2, PLAIN],
    ['1e3', 2, PLAIN],
    ['1,5', 2, PLAIN],
    ['.5', 2, PLAIN],
    ['5.', 2, PLAIN],
    ['1.234', 2, PLAIN],
    ['0.001', 2, PLAIN],
    ['12,34,567', 2, ENGLISH],
    ['1234,567.00', 2, ENGLISH],
    ['½', 2, PLAIN],
    ['١٢', 2, PLAIN],
    ['1 000', 2, PLAIN],
  ])('%j with scale %i is refused, never guessed or rounded', (text, scale, format) => {
    expect(parseAmount(text, scale, format)).toEqual(expect.stringContaining(JSON.stringify(text)));
  });

  it('is what was written, for every amount and scale', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 10n ** 36n }),
        fc.integer({ min: 0, max: 18 }),
        fc.boolean(),
        (units, scale, negative) => {
          const digits = String(units).padStart(scale + 1, '0');
          const whole = digits.slice(0, digits.length - scale);
          const text = scale === 0 ? whole : `${whole}.${digits.slice(-scale)}`;
          const expected = { minorUnits: String(units), negative };
          expect(parseAmount(`${negative ? '-' : ''}${text}`, scale, PLAIN)).toEqual(expected);
        },
      ),
    );
  });
});

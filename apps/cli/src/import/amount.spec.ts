import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type AmountFormat, parseAmount } from './amount.js';

const UNSTATED: AmountFormat = { grouping: 'thousands', currency: [], negative: [], positive: [] };
const PLAIN: AmountFormat = { ...UNSTATED, decimalMark: '.', groupMark: '' };
const ENGLISH: AmountFormat = { ...PLAIN, groupMark: ',' };
const GERMAN: AmountFormat = { ...PLAIN, decimalMark: ',', groupMark: '.' };
const FRENCH: AmountFormat = { ...GERMAN, groupMark: ' ', currency: ['€', 'EUR'] };
const SWISS: AmountFormat = { ...PLAIN, groupMark: "'", currency: ['CHF', 'Fr.'] };
const INDIAN: AmountFormat = {
  ...ENGLISH,
  ...{ grouping: 'lakh', currency: ['₹'], negative: ['D', 'DR'], positive: ['CR'] },
};

describe('an amount in a file', () => {
  it.each<[string, number, AmountFormat, string, 'negative' | 'positive' | undefined]>([
    ['900.00', 2, PLAIN, '90000', undefined],
    ['0.29', 2, PLAIN, '29', undefined],
    ['-5343.6', 2, PLAIN, '534360', 'negative'],
    ['+7', 2, PLAIN, '700', 'positive'],
    ['007.10', 2, PLAIN, '710', undefined],
    ['0.00', 2, PLAIN, '0', undefined],
    ['12.5000', 1, PLAIN, '125', undefined],
    ['12.000', 0, PLAIN, '12', undefined],
    ['1,234,567.89', 2, ENGLISH, '123456789', undefined],
    ['1234567.89', 2, ENGLISH, '123456789', undefined],
    ['1.234,5', 2, GERMAN, '123450', undefined],
    ['900.00', 2, UNSTATED, '90000', undefined],
    ['0.123', 3, UNSTATED, '123', undefined],
    ['3.000', 3, UNSTATED, '3000', undefined],
    ['3.000', 2, { ...UNSTATED, decimalMark: '.' }, '300', undefined],
    ['3,000', 2, { ...UNSTATED, groupMark: ',' }, '300000', undefined],
    ['1\u00a0234\u202f567,89 €', 2, FRENCH, '123456789', undefined],
    ['1\u2009234,5', 2, FRENCH, '123450', undefined],
    ['€-12,00', 2, FRENCH, '1200', 'negative'],
    ['-€12,00', 2, FRENCH, '1200', 'negative'],
    ['\u221212,00 EUR', 2, FRENCH, '1200', 'negative'],
    ['12,00-', 2, FRENCH, '1200', 'negative'],
    ['12,00 - EUR', 2, FRENCH, '1200', 'negative'],
    ['(€12,00)', 2, FRENCH, '1200', 'negative'],
    ['€ (12,00)', 2, FRENCH, '1200', 'negative'],
    ['(-12,00)', 2, FRENCH, '1200', 'negative'],
    ["CHF 1'234.50", 2, SWISS, '123450', undefined],
    ['1’234’567.5', 2, SWISS, '123456750', undefined],
    ['Fr. 7', 2, SWISS, '700', undefined],
    ['12,34,567.89', 2, INDIAN, '123456789', undefined],
    ['1,234', 2, INDIAN, '123400', undefined],
    ['₹1,23,456.00DR', 2, INDIAN, '12345600', 'negative'],
    ['DR -5.00', 2, INDIAN, '500', 'negative'],
    ['5.00 D', 2, INDIAN, '500', 'negative'],
    ['₹ 5.00 CR', 2, INDIAN, '500', 'positive'],
  ])('%j with scale %i is read by its digits', (text, scale, format, minorUnits, sign) => {
    expect(parseAmount(text, scale, format)).toEqual({ minorUnits, sign });
  });

  it.each<[string, number, AmountFormat, string]>([
    ['', 2, PLAIN, '"" is not an amount'],
    ['-', 2, PLAIN, '"-" is not an amount'],
    ['1e3', 2, PLAIN, 'do not name "e"'],
    ['1,5', 2, PLAIN, 'with decimalMark "." and no groupMark'],
    ['.5', 2, PLAIN, 'is not an amount'],
    ['5.', 2, PLAIN, 'is not an amount'],
    ['1.234', 2, PLAIN, 'more than 2 decimal places'],
    ['0.001', 2, UNSTATED, 'more than 2 decimal places'],
    ['3.000', 2, UNSTATED, '"3.000" may be 3 or 3000: name decimalMark'],
    ['-3.100', 2, UNSTATED, '"3.100" may be 3.1 or 3100: name decimalMark'],
    ['120,000', 2, UNSTATED, '"120,000" may be 120 or 120000: name decimalMark'],
    ['12,34,567', 2, ENGLISH, 'with decimalMark "." and groupMark ","'],
    ['1234,567.00', 2, ENGLISH, 'is not an amount'],
    ['1,234,567', 2, INDIAN, 'is not an amount'],
    ['123,456', 2, INDIAN, 'is not an amount'],
    ['½', 2, PLAIN, 'is not an amount'],
    ['١٢', 2, PLAIN, 'is not an amount'],
    ['1 000', 2, PLAIN, 'is not an amount'],
    ['1\u00a0000', 2, PLAIN, '"1\\u00a0000" is not an amount'],
    ['$5.00', 2, PLAIN, 'currency, negative and positive do not name "$"'],
    ['5,00 USD', 2, FRENCH, 'do not name "USD", but "€", "EUR"'],
    ['€5,00€', 2, FRENCH, 'is not an amount'],
    ['--5', 2, PLAIN, 'is not an amount'],
    ['-5.00-', 2, PLAIN, 'is not an amount'],
    ['((5.00))', 2, PLAIN, 'is not an amount'],
    ['(5.00', 2, PLAIN, 'is not an amount'],
    ['-5.00 CR', 2, INDIAN, 'two signs that contradict each other'],
    ['(+5.00)', 2, PLAIN, 'two signs that contradict each other'],
    ['5.00 DR CR', 2, INDIAN, 'is not an amount'],
  ])('%j with scale %i is refused, never guessed or rounded', (text, scale, format, problem) => {
    expect(parseAmount(text, scale, format)).toEqual(expect.stringContaining(problem));
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
          expect(parseAmount(`${negative ? '-' : ''}${text}`, scale, PLAIN)).toEqual({
            minorUnits: String(units),
            sign: negative ? 'negative' : undefined,
          });
        },
      ),
    );
  });

  it('is read in one pass, however many zeros it has', () => {
    const zeros = '0'.repeat(1_000_000);
    expect(parseAmount(`0.${zeros}1`, 2, PLAIN)).toEqual(expect.stringContaining('more than 2'));
    expect(parseAmount(`1.5${zeros}`, 2, PLAIN)).toEqual({ sign: undefined, minorUnits: '150' });
  });
});

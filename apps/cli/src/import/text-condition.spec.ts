import { describe, expect, it } from '@jest/globals';
import { type ConditionSource, TextCondition } from './text-condition.js';

describe('a condition of a text', () => {
  it.each<[ConditionSource, string, boolean]>([
    ['rent', ' rent ', true],
    [' rent ', 'rent', true],
    ['rent', 'Rent', false],
    ['rent', 'rental', false],
    ['', '  ', true],
    [['rent', 'sale'], 'sale', true],
    [['rent', 'sale'], 'fee', false],
    [{ equals: ['RENT', 'SALE'], ignoreCase: true }, 'Sale', true],
    [{ contains: 'ent' }, 'rental', true],
    [{ contains: 'ENT' }, 'rental', false],
    [{ contains: 'ENT', ignoreCase: true }, 'rental', true],
    [{ startsWith: 'Total' }, ' Total: 5', true],
    [{ startsWith: 'Total' }, 'Sub Total', false],
    [{ endsWith: 'EUR' }, '5 EUR ', true],
    [{ matches: '^\\p{L}+ [0-9]{2}$' }, 'März 25', true],
    [{ matches: 'märz', ignoreCase: true }, 'MÄRZ 25', true],
    [{ matches: '^a$' }, 'ab', false],
  ])('%j about %j: %s', (source, text, fits) => {
    expect((TextCondition.of(source) as TextCondition).fits(text)).toBe(fits);
  });

  it.each<[ConditionSource, string]>([
    [{}, 'must have one of equals, contains, startsWith, endsWith, matches'],
    [{ ignoreCase: true }, 'must have one of'],
    [{ contains: 'a', endsWith: 'b' }, 'must have one of'],
    [{ matches: '(' }, 'matches must be a regular expression: '],
  ])('%j is refused', (source, problem) => {
    expect(TextCondition.of(source)).toEqual(expect.stringContaining(problem));
  });
});

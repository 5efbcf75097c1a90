import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { keyRule } from './attempt-fields.js';
import { keySpelledAs, keySpellings, spelledKeyRule } from './idempotency-key.js';

const quoted = (text: string) => `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
const visible = fc.string({
  unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
  minLength: 1,
  maxLength: 20,
});

describe('the spelling of a key', () => {
  it.each([
    ['abc', 'abc'],
    ['"abc"', 'abc'],
    ['"a\\"b\\\\"', 'a"b\\'],
    ['"\\"abc\\""', 'abc'],
    ['"abc', '"abc'],
    ['abc"', 'abc"'],
    ['"a"b"', '"a"b"'],
    ['"a\\b"', '"a\\b"'],
    ['"', '"'],
  ])('%s stands for the key %s', (text, key) => {
    expect(keySpelledAs(text)).toBe(key);
    expect(spelledKeyRule.accepts(text)).toBe(true);
  });

  it.each(['', '""', '"\\"\\""', 'a b', '"a b"', 'é', 'k'.repeat(256), quoted('k'.repeat(256))])(
    '%j stands for none',
    (text) => {
      expect(spelledKeyRule.accepts(text)).toBe(false);
    },
  );

  it('stands for the same key however often it is quoted, and each lists every other', () => {
    fc.assert(
      fc.property(visible, fc.integer({ min: 0, max: 3 }), (text, times) => {
        let spelled = text;
        for (let time = 0; time < times; time++) spelled = quoted(spelled);
        expect(keySpelledAs(spelled)).toBe(keySpelledAs(text));
        expect(keySpellings(spelled)[0]).toBe(spelled);
        expect(new Set(keySpellings(spelled))).toEqual(new Set([spelled, ...keySpellings(text)]));
        if (spelledKeyRule.accepts(text)) expect(keySpellings(text)).toContain(keySpelledAs(text));
        expect(keySpelledAs(keySpelledAs(text))).toBe(keySpelledAs(text));
      }),
    );
  });

  it('is documented for every text that earlier or present clients may send', () => {
    fc.assert(
      fc.property(visible, (key) => {
        if (!spelledKeyRule.accepts(key)) return;
        expect(spelledKeyRule.pattern.test(key)).toBe(true);
        expect(spelledKeyRule.pattern.test(quoted(keySpelledAs(key)))).toBe(true);
        expect(keyRule.accepts(keySpelledAs(key))).toBe(true);
      }),
    );
    const longest = quoted('"'.repeat(255));
    expect([spelledKeyRule.accepts(longest), spelledKeyRule.pattern.test(longest)]).toEqual([
      true,
      true,
    ]);
  });
});

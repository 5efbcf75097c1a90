import { runs } from '@holdfast/kernel/testing';
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SubjectTemplate, headerText } from './subject.js';

it.each([
  [{ ledger: 'main', type: 'TransferPosted' }, 'holdfast.main.TransferPosted'],
  [{ ledger: 'a.b', type: 'x y*>' }, 'holdfast.a%2Eb.x%20y%2A%3E'],
  [{ ledger: 'Zürich/1', type: '' }, 'holdfast.Z%C3%BCrich%2F1.%'],
  [{ ledger: 7, type: undefined }, 'holdfast.7.%'],
  [{ ledger: '\ud800', type: '100%' }, 'holdfast.%EF%BF%BD.100%25'],
])('makes of %j the subject %s', (values, subject) => {
  expect(new SubjectTemplate('holdfast.{ledger}.{type}').filled(values)).toBe(subject);
});

it.each(['', 'a..b', 'a.*', 'a.>', 'a b', 'a.{}', 'x{type}', '.a', 'a.{type'])(
  'refuses the template %j',
  (template) => {
    expect(() => new SubjectTemplate(template)).toThrow(RangeError);
  },
);

it('keeps different values apart, in one token each', () => {
  const template = new SubjectTemplate('{a}.{b}');
  const text = fc.string({ unit: 'binary', minLength: 1 });
  fc.assert(
    fc.property(text, text, text, text, (a, b, c, d) => {
      const [one, other] = [template.filled({ a, b }), template.filled({ a: c, b: d })];
      expect(one).toMatch(/^[^\s.*>]+\.[^\s.*>]+$/);
      expect(one === other).toBe(a === c && b === d);
    }),
    { numRuns: runs({ short: 20, long: 200 }) },
  );
});

it('makes one printable line of a header', () => {
  expect(headerText('account:a/b c')).toBe('account:a/b c');
  expect(headerText('ü\r\nX: 1 100%')).toBe('%C3%BC%0D%0AX: 1 100%25');
});

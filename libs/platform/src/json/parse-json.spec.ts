import { runs } from '@holdfast/kernel/testing';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { InvalidJson, JSON_DEPTH_MAX, parseJson } from './parse-json.js';

function refusal(text: string): readonly [reason: string, pointer: string] | undefined {
  try {
    parseJson(Buffer.from(text));
  } catch (error) {
    if (error instanceof InvalidJson) return [error.reason, error.pointer];
    throw error;
  }
  return undefined;
}

/** Compares in whole units of 10^-400, which hold every decimal of the test. */
function sameDecimal(text: string, value: number): boolean {
  if (Object.is(value, -0)) return false;
  return units(text) === units(String(value));
}

function units(text: string): bigint {
  const [, sign, whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/.exec(text) ?? [];
  const size = BigInt(whole + fraction) * 10n ** BigInt(400 - fraction.length + Number(exponent));
  return sign === '-' ? -size : size;
}

const ROUNDED = 'the number would be rounded; send one that a double holds';
const TWICE = 'the name appears twice in one object';

describe('strict JSON', () => {
  it('parses every valid document as JSON.parse does', () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ maxDepth: 8 }).map((value) => JSON.stringify(value)),
        fc.boolean(),
        (text, pretty) => {
          const document = pretty ? JSON.stringify(JSON.parse(text), null, 2) : text;
          const strict = refusal(document);
          const expected = JSON.parse(document) as unknown;
          // The generator does make __proto__ and large numbers; everything else must be accepted as it is.
          if (strict === undefined) expect(parseJson(Buffer.from(document))).toEqual(expected);
          else expect(strict[0]).toMatch(/__proto__|too large/);
        },
      ),
      { numRuns: runs({ short: 300, long: 2_000 }) },
    );
  });

  it('accepts a number if and only if it prints as the number that was sent', () => {
    const digits = fc.stringMatching(/^(?:0|[1-9]\d{0,20})$/);
    const number = fc
      .tuple(
        fc.constantFrom('', '-'),
        digits,
        fc.option(fc.stringMatching(/^\d{1,22}$/)),
        fc.option(fc.integer({ min: -330, max: 20 })),
      )
      .map(
        ([sign, whole, fraction, exponent]) =>
          `${sign}${whole}${fraction === null ? '' : `.${fraction}`}${exponent === null ? '' : `e${exponent}`}`,
      );
    fc.assert(
      fc.property(number, (text) => {
        const value = Number(text);
        const isSame = Math.abs(value) <= Number.MAX_SAFE_INTEGER && sameDecimal(text, value);
        expect(refusal(`[${text}]`) === undefined).toBe(isSame);
      }),
      { numRuns: runs({ short: 300, long: 2_000 }) },
    );
  });

  it('refuses a repeated name wherever it is put, and names the place', () => {
    const tree = fc.letrec<{ value: string }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom('1', '"x:y{"', '"\\""', 'null', '[]', '{}'),
        fc.array(tie('value'), { maxLength: 3 }).map((items) => `[${items.join(' , ')}]`),
        fc
          .uniqueArray(
            fc.tuple(fc.constantFrom('"a"', '"b:"', '"c\\\\"', '"\\u0064"'), tie('value')),
            {
              selector: ([name]) => name,
            },
          )
          .map((members) => `{${members.map(([name, value]) => `${name}\n:${value}`).join(',')}}`),
      ),
    }));
    fc.assert(
      fc.property(tree.value, tree.value, tree.value, (before, first, second) => {
        expect(
          refusal(`[${before},{"same":${first},"q":${before},"s\\u0061me":${second}}]`),
        ).toEqual([TWICE, '/1/same']);
      }),
      { numRuns: runs({ short: 100, long: 500 }) },
    );
  });

  it.each([
    ['{"a":1,"a":1}', TWICE, '/a'],
    ['{"a":1,"\\u0061":2}', TWICE, '/a'],
    ['{"x":[{"a/b":{},"~":1,"a/b":[]}]}', TWICE, '/x/0/a~1b'],
    ['{"__proto__":{}}', 'the name __proto__ is not allowed', '/__proto__'],
    ['{"a":[{"__\\u0070roto__":1}]}', 'the name __proto__ is not allowed', '/a/0/__proto__'],
    ['{"__proto__":1,"__proto__":2}', 'the name __proto__ is not allowed', '/__proto__'],
    ['["\\ud800"]', 'the text contains half of a surrogate pair', '/0'],
    ['{"\\uDC00":1}', 'the text contains half of a surrogate pair', '/\udc00'],
    ['[9007199254740993]', 'the number is too large to be exact; send it as a string', '/0'],
    ['{"n":1e400}', 'the number is too large to be exact; send it as a string', '/n'],
    ['{"scale":1.9999999999999999999}', ROUNDED, '/scale'],
    ['{"a":[0.5,{"n":1e-400}]}', ROUNDED, '/a/1/n'],
    ['["1.5",3.0000000000000000001]', ROUNDED, '/1'],
    ['[9007199254740990.6]', ROUNDED, '/0'],
    ['[1,-0]', ROUNDED, '/1'],
    ['-0.0e0', ROUNDED, ''],
    ['{"0.1":0.1,"n":0.1000000000000000055}', ROUNDED, '/n'],
    ['-1e400', 'the number is too large to be exact; send it as a string', ''],
  ])('refuses %s', (text, reason, pointer) => {
    expect(refusal(text)).toEqual([reason, pointer]);
  });

  it.each([
    ['["\\ud83d\\ude00 \\ud7ff \\\\ud800"]', ['😀 \ud7ff \\ud800']],
    [
      '[9007199254740991,-9007199254740991,0.1,1e3,0.0,0e9,-1.50E+2,5e-324,1.7976931348623157e-300]',
      [9007199254740991, -9007199254740991, 0.1, 1e3, 0, 0, -150, 5e-324, 1.7976931348623157e-300],
    ],
    [
      '{"constructor":{"prototype":1},"a":":{[","b":"\\":\\\\"}',
      { constructor: { prototype: 1 }, a: ':{[', b: '":\\' },
    ],
    [' null ', null],
  ])('accepts %s', (text, value) => {
    expect(parseJson(Buffer.from(text))).toEqual(value);
  });

  it('looks at so many long numbers only', () => {
    const long = (count: number) => `[${Array.from({ length: count }, () => '1e-300').join()}]`;
    expect(refusal(long(1_000))).toBeUndefined();
    expect(refusal(long(1_001))?.[0]).toBe('the document has more than 1000 very long numbers');
  });

  it.each([
    '-',
    '[-]',
    '1.',
    '.5',
    '1e',
    '[1e+]',
    '1.5.5',
    '[0x10]',
    '01',
    '',
    ' ',
    '{',
    '{"a"}',
    '[1,]',
    "{'a':1}",
    '{"a":1}}',
    'nul',
    '\ufeff{}',
    '"\\x"',
    '[1] x',
    '"',
    '"\\',
  ])('refuses what is not JSON: %p', (text) => {
    expect(refusal(text)?.[0]).toMatch(/^the document is not JSON: /);
  });

  it('limits the depth before it parses', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    expect(refusal(nested(JSON_DEPTH_MAX))).toBeUndefined();
    expect(refusal(nested(JSON_DEPTH_MAX + 1))).toEqual([
      'the document is nested more than 32 deep',
      '',
    ]);
    expect(refusal('{"a":'.repeat(1_000_000))).toEqual([
      'the document is nested more than 32 deep',
      '',
    ]);
    expect(refusal(JSON.stringify('['.repeat(100)))).toBeUndefined();
  });

  it.each([[0xff], [0xc3, 0x28], [0xed, 0xa0, 0x80]])(
    'refuses bytes that are not UTF-8: %p',
    (...bytes) => {
      const document = Buffer.concat([Buffer.from('["'), Buffer.from(bytes), Buffer.from('"]')]);
      expect(() => parseJson(document)).toThrow('the document is not UTF-8');
    },
  );

  it('does not change the prototype of anything', () => {
    parseJson(Buffer.from('{"constructor":{"prototype":{"polluted":true}}}'));
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

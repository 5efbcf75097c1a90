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
      { numRuns: 2_000 },
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
      { numRuns: 500 },
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
    ['-1e400', 'the number is too large to be exact; send it as a string', ''],
  ])('refuses %s', (text, reason, pointer) => {
    expect(refusal(text)).toEqual([reason, pointer]);
  });

  it.each([
    ['["\\ud83d\\ude00 \\ud7ff \\\\ud800"]', ['😀 \ud7ff \\ud800']],
    [
      '[9007199254740991,-9007199254740991,0.1,1e3,-0]',
      [9007199254740991, -9007199254740991, 0.1, 1e3, -0],
    ],
    [
      '{"constructor":{"prototype":1},"a":":{[","b":"\\":\\\\"}',
      { constructor: { prototype: 1 }, a: ':{[', b: '":\\' },
    ],
    [' null ', null],
  ])('accepts %s', (text, value) => {
    expect(parseJson(Buffer.from(text))).toEqual(value);
  });

  it.each([
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

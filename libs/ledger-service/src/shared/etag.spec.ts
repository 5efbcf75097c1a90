import { describe, expect, it } from '@jest/globals';
import { etagOf, shownEtagOf, versionOfEtag } from './etag.js';

describe('ETags', () => {
  it.each([0, 1, 42, 2 ** 40])('name version %i and are read again', (version) => {
    expect(etagOf(version)).toBe(`"${version}"`);
    expect(versionOfEtag(etagOf(version))).toBe(version);
  });

  it('of what a query shows name its content, and its version is read as well', () => {
    const [one, other] = ['{"balance":"1"}', '{"balance":"2"}'].map((body) =>
      shownEtagOf(42, Buffer.from(body)),
    );
    expect(one).toMatch(/^"42-[0-9a-f]{16}"$/);
    expect(one).not.toBe(other);
    expect(versionOfEtag(one ?? '')).toBe(42);
  });

  it('may be anything, when anything will do', () => expect(versionOfEtag(' * ')).toBe('any'));

  it.each([
    '',
    '1',
    'W/"1"',
    '"1", "2"',
    '"01"',
    '"-1"',
    '"1.0"',
    '"a"',
    '""',
    '"1',
    '"1-"',
    '"1-0123456789abcde"',
    '"9999999999999999"',
  ])('are not %p', (text) => expect(versionOfEtag(text)).toBeUndefined());
});

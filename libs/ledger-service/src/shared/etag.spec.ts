import { describe, expect, it } from '@jest/globals';
import { etagOf, versionOfEtag } from './etag.js';

describe('ETags', () => {
  it.each([0, 1, 42, 2 ** 40])('name version %i and are read again', (version) => {
    expect(etagOf(version)).toBe(`"${version}"`);
    expect(versionOfEtag(etagOf(version))).toBe(version);
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
    '"9999999999999999"',
  ])('are not %p', (text) => expect(versionOfEtag(text)).toBeUndefined());
});

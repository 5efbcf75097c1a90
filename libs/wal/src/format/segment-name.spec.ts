import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatSegmentName, parseSegmentName } from './segment-name.js';

describe('the name of a segment', () => {
  it('says its number, first sequence and generation, and sorts by them', () => {
    expect(formatSegmentName({ segment: 17, firstSequence: 4096, generation: 2 })).toBe(
      '0000000000000011-0000000000001000.2.wal',
    );
    const sequence = fc.nat(Number.MAX_SAFE_INTEGER);
    fc.assert(
      fc.property(sequence, sequence, fc.nat(1000), (segment, firstSequence, generation) => {
        const name = { segment, firstSequence, generation };
        expect(parseSegmentName(formatSegmentName(name))).toEqual(name);
      }),
    );
  });

  it.each([
    'MANIFEST',
    'next-1-1.tmp',
    '0000000000000011-0000000000001000.02.wal',
    '0000000000000011-0000000000001000.wal',
    '0000000000000011-0000000000001000.0.wal.tmp',
    '00000000000000AB-0000000000001000.0.wal',
    'ffffffffffffffff-0000000000001000.0.wal',
  ])('is not %s', (file) => {
    expect(parseSegmentName(file)).toBeUndefined();
  });
});

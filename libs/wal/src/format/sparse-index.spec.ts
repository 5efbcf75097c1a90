import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SparseIndex } from './sparse-index.js';
import { SEGMENT_DATA_START, SPARSE_INDEX_BYTES } from './wal-format.js';

describe('the sparse index', () => {
  it('leads to a frame at or before the one that holds a sequence, and not far before it', () => {
    const frames = fc.array(
      fc.record({
        records: fc.integer({ min: 1, max: 50 }),
        bytes: fc.integer({ min: 8, max: 99_000 }),
      }),
      { minLength: 1, maxLength: 60 },
    );
    fc.assert(
      fc.property(frames, (written) => {
        const index = new SparseIndex();
        let [sequence, offset] = [1, SEGMENT_DATA_START];
        const places = written.map(({ records, bytes }) => {
          index.offer(sequence, offset);
          const place = { first: sequence, last: sequence + records - 1, offset };
          sequence += records;
          offset += bytes;
          return place;
        });
        for (const { first, last, offset: at } of places) {
          const found = index.locate(last);
          expect(found).toBeLessThanOrEqual(at);
          expect(at - found).toBeLessThan(SPARSE_INDEX_BYTES + 99_000);
          expect(places.some((place) => place.offset === found)).toBe(true);
          expect(index.locate(first)).toBeLessThanOrEqual(at);
        }
      }),
    );
  });

  it('knows nothing at first, and leads to the start', () => {
    expect(new SparseIndex().locate(7)).toBe(SEGMENT_DATA_START);
  });
});

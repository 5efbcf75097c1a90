import { crc32 as zlibCrc32 } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import CRC32 from 'crc-32';
import fc from 'fast-check';
import { crc32 } from './checksum.js';

describe('the checksum', () => {
  it('is CRC-32 as everybody knows it', () => {
    expect(crc32(Buffer.from('123456789'))).toBe(0xcbf43926);
    expect(crc32(Buffer.alloc(0))).toBe(0);
  });

  it('is the same by both implementations, for any bytes and any seed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.nat(0xffff_ffff), (bytes, seed) => {
        const value = crc32(bytes, seed);
        expect(value).toBe(zlibCrc32(bytes, seed));
        expect(value).toBe(CRC32.buf(bytes, seed | 0) >>> 0);
      }),
    );
  });

  it('of a concatenation goes on from that of its first part', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.uint8Array({ maxLength: 300 }),
        (first, second) => {
          expect(crc32(second, crc32(first))).toBe(crc32(Buffer.concat([first, second])));
        },
      ),
    );
  });
});

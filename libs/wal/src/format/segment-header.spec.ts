import { describe, expect, it } from '@jest/globals';
import { crc32 } from './checksum.js';
import { decodeSegmentHeader, encodeSegmentHeader, frameSeed, isHeader } from './segment-header.js';
import { HEADER_BLOCK_BYTES } from './wal-format.js';

const header = {
  logId: '000102030405060708090a0b0c0d0e0f',
  timeline: 'f0f1f2f3f4f5f6f7',
  segment: 2 ** 40,
  epoch: 7,
  firstSequence: Number.MAX_SAFE_INTEGER,
  salt: 0xdeadbeef,
  durability: 'interval' as const,
  frameBytesMax: 32 * 1024 * 1024,
  segmentBytes: 1024 * 1024 * 1024,
  createdMicros: 1_735_689_600_000_000,
  predecessor: {
    dataLength: 123_456,
    lastSequence: Number.MAX_SAFE_INTEGER - 1,
    lastHeaderCrc: 0xffff_ffff,
    lastFrameOffset: 120_000,
    generation: 3,
  },
};

describe('a segment header', () => {
  it('comes back as it was written, with its own checksum', () => {
    const block = encodeSegmentHeader(header);
    expect(block).toHaveLength(HEADER_BLOCK_BYTES);
    expect(decodeSegmentHeader(block)).toEqual({ ...header, headerCrc: block.readUInt32LE(8) });
  });

  it('is damaged when any bit of its block differs', () => {
    const block = encodeSegmentHeader(header);
    for (let at = 0; at < HEADER_BLOCK_BYTES; at++) {
      block[at] = block[at]! ^ (1 << (at % 8));
      expect([at, decodeSegmentHeader(block)]).toEqual([at, { kind: 'damaged' }]);
      block[at] = block[at]! ^ (1 << (at % 8));
    }
    expect(isHeader(decodeSegmentHeader(block))).toBe(true);
    expect(decodeSegmentHeader(block.subarray(0, 4095))).toEqual({ kind: 'damaged' });
  });

  it.each([
    [12, 2, 'format version 2'],
    [16, 0x8000_0002, 'incompatible feature bits 0x80000002'],
    [76, 9, 'durability mode 9'],
  ])('is refused as newer when the word at %d is %d', (offset, value, reason) => {
    const block = encodeSegmentHeader(header);
    block.writeUInt32LE(value, offset);
    block.writeUInt32LE(crc32(block.subarray(12)), 8);
    expect(decodeSegmentHeader(block)).toEqual({ kind: 'unsupported', reason });
  });

  it('may carry compatible features that nobody knows', () => {
    const block = encodeSegmentHeader(header);
    block.writeUInt32LE(0xffff, 20);
    block.writeUInt32LE(crc32(block.subarray(12)), 8);
    expect(isHeader(decodeSegmentHeader(block))).toBe(true);
  });

  it('gives each log, segment, writer and salt a seed of its own', () => {
    const variants = [
      header,
      { ...header, logId: header.logId.replace('0', '1') },
      { ...header, segment: 3 },
      { ...header, epoch: 8 },
      { ...header, salt: 1 },
    ];
    expect(new Set(variants.map(frameSeed)).size).toBe(variants.length);
  });
});

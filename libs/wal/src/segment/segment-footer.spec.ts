import { describe, expect, it } from '@jest/globals';
import { SparseIndex } from '../format/sparse-index.js';
import { SimulatedFileSystem } from '../testing/index.js';
import { encodeFooter, readFooter } from './segment-footer.js';

const DATA_LENGTH = 9_000;
const footer = {
  dataLength: DATA_LENGTH,
  recordCount: 2 ** 33,
  frameCount: 12,
  firstWallMicros: 1,
  lastWallMicros: 1_735_689_600_000_000,
  sha256: new Uint8Array(32).fill(0xab),
  index: new SparseIndex([1, 2 ** 40], [8192, 8500]),
};

function read(bytes: Buffer): unknown {
  const path = '/segment';
  const content = Buffer.concat([Buffer.alloc(DATA_LENGTH), bytes]);
  const system = SimulatedFileSystem.on({
    files: new Map([[path, content]]),
    directories: new Set(),
  });
  return readFooter(system.open(path, 'read'), DATA_LENGTH);
}

describe('the footer of a sealed segment', () => {
  it('comes back as it was written, also with bytes behind it', () => {
    const bytes = encodeFooter(footer);
    expect(read(bytes)).toEqual(footer);
    expect(read(Buffer.concat([bytes, Buffer.alloc(100, 1)]))).toEqual(footer);
  });

  it('is not there when any bit differs or the end is missing', () => {
    const bytes = encodeFooter(footer);
    for (let at = 0; at < bytes.length; at++) {
      const flipped = Buffer.from(bytes);
      flipped[at] = flipped[at]! ^ 1;
      expect([at, read(flipped)]).toEqual([at, undefined]);
      expect(read(bytes.subarray(0, at))).toBeUndefined();
    }
  });
});

import { describe, expect, it } from '@jest/globals';
import { afterPowerCut, SimulatedFileSystem } from '../testing/index.js';
import { readManifest, writeManifest } from './manifest.js';

const manifest = {
  logId: '00112233445566778899aabbccddeeff',
  firstSegment: 3,
  firstSequence: 1_000,
  placesBefore: new Map([[999, '0123456789abcdef']]),
  generations: new Map([
    [3, 1],
    [5, 2],
  ]),
};

const text = [
  'holdfast-wal-manifest 1',
  'log-id 00112233445566778899aabbccddeeff',
  'first-segment 3',
  'first-sequence 1000',
  'before 999 0123456789abcdef',
  'generation 3 1',
  'generation 5 2',
];

describe('MANIFEST', () => {
  it('is text that comes back as it was written, and durable at once', () => {
    const system = SimulatedFileSystem.on();
    writeManifest(system, '', manifest);
    const content = system.disk.image().files.get('/MANIFEST')!.toString();
    expect(content.split('\n').slice(0, -2)).toEqual(text);
    const after = SimulatedFileSystem.on(afterPowerCut(system.disk));
    expect(readManifest(after, '')).toEqual(manifest);
  });

  it('is damaged when any bit differs, or a line is missing', () => {
    const system = SimulatedFileSystem.on();
    writeManifest(system, '', manifest);
    const content = system.disk.image().files.get('/MANIFEST')!;
    const read = (bytes: Buffer): unknown =>
      readManifest(
        SimulatedFileSystem.on({ files: new Map([['/MANIFEST', bytes]]), directories: new Set() }),
        '',
      );
    const damaged = expect.objectContaining({ code: 'WAL_MANIFEST_DAMAGED' });
    for (let at = 0; at < content.length; at++) {
      const flipped = Buffer.from(content);
      flipped[at] = flipped[at]! ^ (1 << (at % 7));
      expect(() => read(flipped)).toThrow(damaged);
      expect(() => read(content.subarray(0, at))).toThrow(damaged);
    }
    expect(() => read(Buffer.concat([content, Buffer.from('\n')]))).toThrow(damaged);
  });

  it('is not there in an empty directory', () => {
    expect(readManifest(SimulatedFileSystem.on(), '')).toBeUndefined();
  });
});

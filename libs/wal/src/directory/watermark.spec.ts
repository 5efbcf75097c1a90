import { describe, expect, it } from '@jest/globals';
import { SimulatedFileSystem } from '../testing/index.js';
import { readWatermark, WatermarkReader, WatermarkWriter } from './watermark.js';

const at = (sequence: number, epoch = 1, segment = 1): Parameters<WatermarkWriter['write']>[0] => ({
  timeline: 'f0f1f2f3f4f5f6f7',
  epoch,
  sequence,
  segment,
  offset: 8192 + sequence,
});

describe('WATERMARK', () => {
  it('says what was written last, whichever slot that is in', () => {
    const system = SimulatedFileSystem.on();
    const writer = WatermarkWriter.open(system, '');
    const reader = new WatermarkReader(system, '');
    for (let sequence = 1; sequence < 6; sequence++) {
      writer.write(at(sequence));
      expect(readWatermark(system, '')).toEqual(at(sequence));
      expect(reader.read()).toEqual(at(sequence));
    }
  });

  it('falls back by one when the newest slot is torn, and never says what was not written', () => {
    const system = SimulatedFileSystem.on();
    const writer = WatermarkWriter.open(system, '');
    writer.write(at(1));
    writer.write(at(2));
    const content = system.disk.image().files.get('/WATERMARK')!;
    for (let byte = 512; byte < 512 + 48; byte++) {
      const flipped = Buffer.from(content);
      flipped[byte] = flipped[byte]! ^ 4;
      const damaged = SimulatedFileSystem.on({
        files: new Map([['/WATERMARK', flipped]]),
        directories: new Set(),
      });
      expect(readWatermark(damaged, '')).toEqual(at(1));
    }
  });

  it('counts a later writer, a later sequence and a later segment as newer', () => {
    for (const [older, newer] of [
      [at(9, 1), at(3, 2)],
      [at(3), at(4)],
      [at(4, 1, 1), at(4, 1, 2)],
    ] as const) {
      for (const order of [
        [older, newer],
        [newer, older],
      ] as const) {
        const system = SimulatedFileSystem.on();
        const writer = WatermarkWriter.open(system, '');
        for (const watermark of order) writer.write(watermark);
        expect(readWatermark(system, '')).toEqual(newer);
      }
    }
  });

  it('is not there before it was written, nor when it is nonsense', () => {
    const system = SimulatedFileSystem.on({
      files: new Map([['/WATERMARK', Buffer.alloc(560, 7)]]),
      directories: new Set(),
    });
    expect(readWatermark(system, '')).toBeUndefined();
    expect(readWatermark(SimulatedFileSystem.on(), '')).toBeUndefined();
  });
});

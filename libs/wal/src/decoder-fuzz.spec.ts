import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { checkedLines, withChecksum } from './format/checked-lines.js';
import { bodyVerifies, decodeFrameHeader, visitRecords } from './format/frame-decoder.js';
import { FrameEncoder } from './format/frame-encoder.js';
import {
  decodeSegmentHeader,
  encodeSegmentHeader,
  frameSeed,
  isHeader,
} from './format/segment-header.js';
import { SparseIndex } from './format/sparse-index.js';
import { encodedRecordBytes, FRAME_HEADER_BYTES, SEGMENT_DATA_START } from './format/wal-format.js';
import { FrameScanner } from './segment/frame-scanner.js';
import { encodeFooter, readFooter } from './segment/segment-footer.js';
import { SimulatedFileSystem } from './testing/index.js';
import type { Sequence } from './wal.types.js';

/**
 * Every decoder against bytes that nobody wrote. `HOLDFAST_FUZZ_CASES=1000000 npm run test:unit -- libs/wal/src/decoder-fuzz` is the long form; the seed
 * of a failure is printed with it.
 */
const PROPERTIES = 5;
const CASES = Math.ceil(Number(process.env['HOLDFAST_FUZZ_CASES'] ?? 2_500) / PROPERTIES);
const TIMEOUT_MILLIS = 3_600_000;

const SEGMENT = {
  logId: '000102030405060708090a0b0c0d0e0f',
  timeline: 'f0f1f2f3f4f5f6f7',
  segment: 3,
  epoch: 7,
  firstSequence: 1_000,
  salt: 0xdeadbeef,
  durability: 'sync' as const,
  frameBytesMax: 16 * 1024,
  segmentBytes: 32 * 1024,
  createdMicros: 1_735_689_600_000_000,
  predecessor: {
    dataLength: 9_000,
    lastSequence: 999,
    lastHeaderCrc: 0xffff_ffff,
    lastFrameOffset: 8_192,
    generation: 0,
  },
};
const SEED = frameSeed(SEGMENT);

/** What may happen to bytes: places overwritten, pieces copied elsewhere, the end cut off. */
interface Edits {
  readonly overwritten: readonly { readonly at: number; readonly bytes: Uint8Array }[];
  readonly copied: readonly {
    readonly from: number;
    readonly to: number;
    readonly bytes: number;
  }[];
  readonly cut: number | undefined;
}

/** Places as parts of the whole, so that one set of edits fits bytes of any length. */
const place = fc.double({ min: 0, max: 1, noNaN: true });
const edits: fc.Arbitrary<Edits> = fc.record({
  overwritten: fc.array(fc.record({ at: place, bytes: fc.uint8Array({ maxLength: 12 }) }), {
    maxLength: 3,
  }),
  copied: fc.array(fc.record({ from: place, to: place, bytes: fc.nat(80) }), { maxLength: 2 }),
  cut: fc.option(place, { nil: undefined, freq: 4 }),
});

const frames = fc.array(
  fc.array(fc.uint8Array({ maxLength: 60 }), { minLength: 1, maxLength: 3 }),
  {
    minLength: 1,
    maxLength: 4,
  },
);

describe('no bytes but those that were written', () => {
  const check = <Cases>(property: fc.IProperty<Cases>): void => {
    fc.assert(property, { numRuns: CASES });
  };

  it(
    'pass for a frame',
    () => {
      check(
        fc.property(frames, edits, (content, damage) => {
          const [original] = encodedFrames(content.slice(0, 1));
          const bytes = edited(original ?? Buffer.alloc(0), damage);
          const header = decodeFrameHeader(bytes, 0, SEED, SEGMENT_DATA_START);
          if (header === undefined) return true;
          const end = FRAME_HEADER_BYTES + header.bodyLength;
          if (end > bytes.length || !bodyVerifies(header, bytes, FRAME_HEADER_BYTES, end))
            return true;
          return original?.equals(bytes.subarray(0, end)) === true;
        }),
      );
    },
    TIMEOUT_MILLIS,
  );

  it(
    'pass for records: what a body says under a good checksum stays within it',
    () => {
      const counts = fc.nat(12);
      check(
        fc.property(fc.uint8Array({ maxLength: 200 }), counts, counts, (noise, records, span) => {
          const body = Buffer.alloc(Math.ceil(noise.length / 8) * 8);
          body.set(noise);
          // Often nearly a record: a known type, a length that nearly fits.
          if (body.length >= 8 && records % 2 === 0) body.writeUInt32LE(span * 7, 0);
          if (body.length >= 8 && records % 3 === 0) body.writeUInt8(1 + (span % 2), 4);
          const encoder = new FrameEncoder(512);
          encoder.reset();
          encoder.addBody(body, records, span);
          const { bytes } = encoder.finish(1_000 as Sequence, placeAt(SEGMENT_DATA_START, 0));
          const header = decodeFrameHeader(bytes, 0, SEED, SEGMENT_DATA_START);
          if (header === undefined) return false;
          let seen = 0;
          let outside = 0;
          const result = visitRecords(header, bytes, FRAME_HEADER_BYTES, (_, start, end) => {
            if (start < FRAME_HEADER_BYTES || end < start || end > bytes.length) outside++;
            seen++;
          });
          return outside === 0 && (result !== 'complete' || seen <= records);
        }),
      );
    },
    TIMEOUT_MILLIS,
  );

  it(
    'pass for frames of a segment: a scan finds the first of them, whole, and nothing else',
    () => {
      const block = encodeSegmentHeader(SEGMENT);
      const segment = { ...SEGMENT, headerCrc: block.readUInt32LE(8) };
      check(
        fc.property(frames, edits, (content, damage) => {
          const originals = encodedFrames(content, segment.headerCrc);
          const data = edited(Buffer.concat([...originals, Buffer.alloc(256)]), damage);
          const file = fileOf(Buffer.concat([block, block, data]));
          const scanner = new FrameScanner(file, segment, { limit: file.size(), reuse: true });
          let at = 0;
          for (const frame of scanner) {
            const { buffer, bodyStart, header } = frame;
            const found = buffer.subarray(
              bodyStart - FRAME_HEADER_BYTES,
              bodyStart + header.bodyLength,
            );
            if (originals[at++]?.equals(found) !== true) return false;
          }
          return true;
        }),
      );
    },
    TIMEOUT_MILLIS,
  );

  it(
    'pass for a segment header or a footer',
    () => {
      const block = encodeSegmentHeader(SEGMENT);
      const segment = decodeSegmentHeader(block);
      const footer = {
        dataLength: 0,
        recordCount: 12,
        frameCount: 3,
        firstWallMicros: 1,
        lastWallMicros: 2,
        sha256: new Uint8Array(32).fill(0xab),
        index: new SparseIndex([1, 2], [8_192, 9_000]),
      };
      const written = encodeFooter(footer);
      check(
        fc.property(edits, (damage) => {
          const decoded = decodeSegmentHeader(edited(block, damage));
          const read = readFooter(fileOf(edited(written, damage)), 0);
          return (
            (!isHeader(decoded) || isDeepStrictEqual(decoded, segment)) &&
            (read === undefined || encodeFooter(read).equals(written))
          );
        }),
      );
    },
    TIMEOUT_MILLIS,
  );

  it(
    'pass for MANIFEST or FLOORS',
    () => {
      const text = withChecksum(['holdfast-wal-manifest 1', 'log-id 00112233', 'first-segment 3']);
      check(
        fc.property(edits, (damage) => {
          const damaged = edited(Buffer.from(text, 'latin1'), damage).toString('latin1');
          return damaged === text || checkedLines(damaged) === undefined;
        }),
      );
    },
    TIMEOUT_MILLIS,
  );

  it('are found where nothing was changed: the other properties could not fail otherwise', () => {
    const block = encodeSegmentHeader(SEGMENT);
    const segment = { ...SEGMENT, headerCrc: block.readUInt32LE(8) };
    const originals = encodedFrames([[Buffer.from('a')], [Buffer.from('b')]], segment.headerCrc);
    const file = fileOf(Buffer.concat([block, block, ...originals]));
    const scanner = new FrameScanner(file, segment, { limit: file.size(), reuse: true });
    expect([scanner.next() !== undefined, scanner.next() !== undefined, scanner.next()]).toEqual([
      true,
      true,
      undefined,
    ]);
  });
});

function placeAt(fileOffset: number, previousHeaderCrc: number) {
  return { seed: SEED, fileOffset, previousHeaderCrc, durableSequence: 900, wallMicros: 1 };
}

/** One frame for each batch, as they follow each other in the segment. */
function encodedFrames(content: readonly Uint8Array[][], segmentHeaderCrc = 0): Buffer[] {
  let [offset, previous, first] = [SEGMENT_DATA_START, segmentHeaderCrc, SEGMENT.firstSequence];
  return content.map((batch) => {
    const encoder = new FrameEncoder(1_024);
    encoder.reset();
    encoder.add(
      batch,
      batch.reduce((sum, { length }) => sum + encodedRecordBytes(length), 0),
    );
    const { bytes, headerCrc } = encoder.finish(first as Sequence, placeAt(offset, previous));
    [offset, previous, first] = [offset + bytes.length, headerCrc, first + batch.length];
    return Buffer.from(bytes);
  });
}

function edited(original: Buffer, { overwritten, copied, cut }: Edits): Buffer {
  const bytes = Buffer.from(original);
  const offset = (part: number): number => Math.floor(part * bytes.length);
  for (const edit of copied)
    bytes.copyWithin(offset(edit.to), offset(edit.from), offset(edit.from) + edit.bytes);
  for (const edit of overwritten) Buffer.from(edit.bytes).copy(bytes, offset(edit.at));
  return cut === undefined ? bytes : bytes.subarray(0, offset(cut));
}

function fileOf(content: Buffer) {
  const path = '/file';
  const image = { files: new Map([[path, content]]), directories: new Set<string>() };
  return SimulatedFileSystem.on(image).open(path, 'read');
}

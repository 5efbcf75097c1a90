import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Sequence } from '../wal.types.js';
import { crc32 } from './checksum.js';
import {
  type BodyResult,
  bodyVerifies,
  decodeFrameHeader,
  frameEnd,
  lastSequenceOf,
  visitRecords,
} from './frame-decoder.js';
import { FrameEncoder } from './frame-encoder.js';
import { encodedRecordBytes, FRAME_HEADER_BYTES } from './wal-format.js';

const SEED = 0x1234_5678;
const OFFSET = 8192;
const FIRST = 1_000 as Sequence;

type Batch = Uint8Array[];

const batches = fc.array(
  fc.array(fc.uint8Array({ maxLength: 90 }), { minLength: 1, maxLength: 5 }),
  { minLength: 1, maxLength: 6 },
);

function encoded(content: readonly Batch[]): Buffer {
  const encoder = new FrameEncoder(128);
  for (const batch of content) {
    encoder.add(
      batch,
      batch.reduce((sum, payload) => sum + encodedRecordBytes(payload.length), 0),
    );
  }
  const { bytes } = encoder.finish(FIRST, {
    seed: SEED,
    fileOffset: OFFSET,
    previousHeaderCrc: 42,
    durableSequence: 900,
    wallMicros: 1_735_689_600_000_000,
  });
  return Buffer.from(bytes);
}

/** What a reader makes of these bytes: the records, or why there are none. */
function decoded(bytes: Buffer): { result: BodyResult | 'invalid'; records: string[] } {
  const records: string[] = [];
  const header = decodeFrameHeader(bytes, 0, SEED, OFFSET);
  if (header === undefined || !bodyVerifies(header, bytes, FRAME_HEADER_BYTES, bytes.length))
    return { result: 'invalid', records };
  const result = visitRecords(header, bytes, FRAME_HEADER_BYTES, (at, start, end, endsBatch) => {
    expect(start <= end && end <= bytes.length).toBe(true);
    records.push(`${at} ${bytes.toString('hex', start, end)}${endsBatch ? '.' : ''}`);
  });
  return { result, records };
}

function expected(content: readonly Batch[]): string[] {
  let sequence: number = FIRST;
  return content.flatMap((batch) =>
    batch.map((payload, at) => {
      const end = at === batch.length - 1 ? '.' : '';
      return `${sequence++} ${Buffer.from(payload).toString('hex')}${end}`;
    }),
  );
}

/** Nonsense under checksums that verify. */
function signed(body: Buffer, counts: { records: number; span: number }): Buffer {
  const bytes = Buffer.concat([encoded([[Buffer.alloc(0)]]).subarray(0, FRAME_HEADER_BYTES), body]);
  bytes.writeUInt32LE(body.length, 12);
  bytes.writeUInt32LE(crc32(body), 16);
  bytes.writeUInt32LE(counts.records, 32);
  bytes.writeUInt32LE(counts.span, 52);
  bytes.writeUInt32LE(crc32(bytes.subarray(8, FRAME_HEADER_BYTES), SEED), 4);
  return bytes;
}

function record(length: number, type: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(length, 0);
  header.writeUInt8(type, 4);
  return Buffer.concat([header, payload]);
}

describe('a frame', () => {
  it('gives back the batches that were put in', () => {
    fc.assert(
      fc.property(batches, (content) => {
        expect(decoded(encoded(content))).toEqual({
          result: 'complete',
          records: expected(content),
        });
      }),
    );
  });

  it('says where it stands and what it spans', () => {
    const bytes = encoded([[Buffer.from('a'), Buffer.from('b')], [Buffer.from('c')]]);
    const header = decodeFrameHeader(bytes, 0, SEED, OFFSET);
    expect(header).toMatchObject({
      fileOffset: OFFSET,
      previousHeaderCrc: 42,
      firstSequence: 1_000,
      recordCount: 3,
      sequenceSpan: 3,
      durableSequence: 900,
      wallMicros: 1_735_689_600_000_000,
    });
    expect([frameEnd(header!), lastSequenceOf(header!)]).toEqual([OFFSET + bytes.length, 1_002]);
  });

  it('pads with zeros, also in memory that held another frame', () => {
    const encoder = new FrameEncoder(128);
    encoder.add([Buffer.alloc(40, 0xff)], encodedRecordBytes(40));
    encoder.reset();
    encoder.add([Buffer.from('x')], encodedRecordBytes(1));
    const place = {
      seed: SEED,
      fileOffset: OFFSET,
      previousHeaderCrc: 42,
      durableSequence: 900,
      wallMicros: 1_735_689_600_000_000,
    };
    expect(Buffer.from(encoder.finish(FIRST, place).bytes)).toEqual(encoded([[Buffer.from('x')]]));
  });

  it('is invalid when any of its bits differs, or any of its bytes is missing', () => {
    const bytes = encoded([[Buffer.from('one'), Buffer.from('two')], [Buffer.alloc(100, 3)]]);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const at = bit >> 3;
      bytes[at] = bytes[at]! ^ (1 << (bit & 7));
      expect([bit, decoded(bytes).result]).toEqual([bit, 'invalid']);
      bytes[at] = bytes[at] ^ (1 << (bit & 7));
    }
    for (let length = 0; length < bytes.length; length++)
      expect(decoded(bytes.subarray(0, length)).result).toBe('invalid');
    expect(decoded(bytes).result).toBe('complete');
  });

  it('is invalid at another place and under the seed of another segment', () => {
    const bytes = encoded([[Buffer.from('one')]]);
    expect(decodeFrameHeader(bytes, 0, SEED, OFFSET + 8)).toBeUndefined();
    expect(decodeFrameHeader(bytes, 0, SEED + 1, OFFSET)).toBeUndefined();
  });

  it('is never found in what is not one', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
        expect(decoded(Buffer.from(noise)).result).toBe('invalid');
      }),
    );
  });

  it('never gives a record beyond the body, whatever nonsense stands under a good checksum', () => {
    for (const length of [0xffff_ffff, 0xffff_fff8, 0xffff_fff0, 0x7fff_ffff, 17])
      expect(decoded(signed(record(length, 1, Buffer.alloc(8)), { records: 2, span: 2 }))).toEqual({
        result: 'malformed',
        records: [],
      });
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 40 }),
        fc.nat(6),
        fc.nat(6),
        (noise, records, span) => {
          const body = Buffer.alloc(Math.ceil(noise.length / 8) * 8);
          body.set(noise);
          const { result } = decoded(signed(body, { records, span }));
          expect(['complete', 'malformed', 'unsupported']).toContain(result);
        },
      ),
    );
  });

  it('is malformed when its counts do not agree with its records', () => {
    const body = record(0, 1);
    expect(decoded(signed(body, { records: 1, span: 1 })).result).toBe('complete');
    expect(decoded(signed(body, { records: 2, span: 1 })).result).toBe('malformed');
    expect(decoded(signed(body, { records: 1, span: 2 })).result).toBe('malformed');
  });

  it('passes over gaps and over types that may be skipped, and stops at others', () => {
    const gap = Buffer.alloc(8);
    gap.writeUInt32LE(5, 0);
    const body = Buffer.concat([record(4, 2, gap), record(0, 0x80), record(0, 1)]);
    expect(decoded(signed(body, { records: 3, span: 6 }))).toEqual({
      result: 'complete',
      records: ['1005 '],
    });
    expect(decoded(signed(record(0, 3), { records: 1, span: 0 })).result).toBe('unsupported');
  });
});

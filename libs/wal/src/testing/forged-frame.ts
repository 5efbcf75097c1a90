import { defined } from '@holdfast/kernel';
import {
  decodeFrameHeader,
  frameEnd,
  type FrameHeader,
  lastSequenceOf,
} from '../format/frame-decoder.js';
import { FrameEncoder } from '../format/frame-encoder.js';
import {
  decodeSegmentHeader,
  frameSeed,
  isHeader,
  type SegmentHeader,
} from '../format/segment-header.js';
import {
  encodedRecordBytes,
  HEADER_BLOCK_BYTES,
  SEGMENT_DATA_START,
} from '../format/wal-format.js';
import type { Sequence } from '../wal.types.js';

/** In what a forged frame differs from the one that the log's writer would have put there. */
export interface Lie {
  /** Where it is put, if not behind the last frame. */
  readonly at?: number;
  /** Where it says that it stands. */
  readonly fileOffset?: number;
  readonly previousHeaderCrc?: number;
  readonly firstSequence?: number;
  readonly durableSequence?: number;
  /** The segment that its checksums are seeded for. */
  readonly seedOf?: SegmentHeader;
  readonly flipHeaderCrc?: boolean;
  readonly flipBody?: boolean;
}

/**
 * The segment's bytes with one more frame, of one record, that verifies in everything but the lie: for tests of what must not be believed.
 * Without a lie it is a good frame.
 */
export function withForgedFrame(segment: Buffer, payload: Uint8Array, lie: Lie = {}): Buffer {
  const header = segmentHeaderOf(segment);
  const last = framesOf(segment).at(-1);
  const end = last === undefined ? SEGMENT_DATA_START : frameEnd(last);
  const at = lie.at ?? end;
  const encoder = new FrameEncoder(1024);
  encoder.reset();
  encoder.add([payload], encodedRecordBytes(payload.length));
  const next = last === undefined ? header.firstSequence : lastSequenceOf(last) + 1;
  const { bytes } = encoder.finish((lie.firstSequence ?? next) as Sequence, {
    seed: frameSeed(lie.seedOf ?? header),
    fileOffset: lie.fileOffset ?? at,
    previousHeaderCrc: lie.previousHeaderCrc ?? last?.headerCrc ?? header.headerCrc,
    durableSequence: lie.durableSequence ?? next - 1,
    wallMicros: 0,
  });
  const forged = Buffer.from(segment);
  bytes.copy(forged, at);
  if (lie.flipHeaderCrc === true) flip(forged, at + 4);
  if (lie.flipBody === true) flip(forged, at + bytes.length - 1);
  return forged;
}

/** The first copy of a segment's header, which must be good. */
export function segmentHeaderOf(segment: Buffer): SegmentHeader {
  const header = decodeSegmentHeader(segment.subarray(0, HEADER_BLOCK_BYTES));
  if (!isHeader(header)) throw new TypeError('the segment has no header');
  return header;
}

/** The headers of its frames, as far as they follow each other. */
export function framesOf(segment: Buffer): FrameHeader[] {
  const seed = frameSeed(segmentHeaderOf(segment));
  const frames: FrameHeader[] = [];
  for (let at = SEGMENT_DATA_START; ;) {
    const frame = decodeFrameHeader(segment, at, seed, at);
    if (frame === undefined) return frames;
    frames.push(frame);
    at = frameEnd(frame);
  }
}

function flip(bytes: Buffer, at: number): void {
  bytes[at] = defined(bytes[at], 'a byte of the frame') ^ 0x10;
}

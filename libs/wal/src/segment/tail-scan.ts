import { readAt } from '../disk/file-reading.js';
import type { File, ReadableFile } from '../disk/file-system.js';
import {
  frameEnd,
  type FrameHeader,
  frameHeadersIn,
  lastSequenceOf,
} from '../format/frame-decoder.js';
import { frameSeed, type SegmentHeader } from '../format/segment-header.js';
import { SparseIndex } from '../format/sparse-index.js';
import { FRAME_HEADER_BYTES } from '../format/wal-format.js';
import { readFailed } from '../wal.errors.js';
import { FrameScanner } from './frame-scanner.js';

/** Everything that stands in the last segment of a log, which no successor has sealed. */
export interface TailScan {
  /** V: the first offset where no valid frame stands. */
  readonly validEnd: number;
  /** Why none stands there. */
  readonly stopReason: string;
  readonly lastSequence: number;
  readonly lastHeaderCrc: number;
  /** 0 when there is no frame. */
  readonly lastFrameOffset: number;
  readonly index: SparseIndex;
  /** The highest durable sequence that any frame carries, before V or after it. */
  readonly promisedByFrames: number;
  /** The first frame header beyond V that verifies at its place. */
  readonly laterFrame: FrameHeader | undefined;
  /** The offset behind the last byte that is not zero, if that is beyond V. */
  readonly nonZeroEnd: number | undefined;
}

/** Reads the whole segment once. Throws `WAL_READ_FAILED`: a read error is never taken for the end. */
export function scanTail(file: File, segment: SegmentHeader): TailScan {
  const size = file.size();
  const scanner = new FrameScanner(file, segment, { limit: size, reuse: true });
  const index = new SparseIndex();
  let lastSequence = segment.firstSequence - 1;
  let lastHeaderCrc = segment.headerCrc;
  let lastFrameOffset = 0;
  let promised = 0;
  for (const frame of scanner) {
    const { header } = frame;
    index.offer(header.firstSequence, header.fileOffset);
    lastSequence = lastSequenceOf(header);
    lastHeaderCrc = header.headerCrc;
    lastFrameOffset = header.fileOffset;
    promised = Math.max(promised, header.durableSequence);
  }
  const beyond = lookBeyond(file, segment, scanner.offset, size);
  return {
    validEnd: scanner.offset,
    stopReason: scanner.stopReason,
    lastSequence,
    lastHeaderCrc,
    lastFrameOffset,
    index,
    promisedByFrames: Math.max(promised, beyond.promised),
    laterFrame: beyond.laterFrame,
    nonZeroEnd: beyond.nonZeroEnd,
  };
}

/**
 * Where the frame ends that holds the sequence, which the scan has found valid. Found again by the index: one object kept for each of a million frames would be most of what an open needs.
 * Throws `WAL_READ_FAILED`.
 */
export function endOfFrameWith(
  file: File,
  segment: SegmentHeader,
  { index, validEnd }: Pick<TailScan, 'index' | 'validEnd'>,
  sequence: number,
): number {
  const from = index.locate(sequence);
  const scanner = new FrameScanner(file, segment, { from, limit: validEnd, reuse: true });
  for (const frame of scanner)
    if (lastSequenceOf(frame.header) >= sequence) return frameEnd(frame.header);
  throw readFailed(file.path, scanner.offset, new Error(scanner.stopReason));
}

const CHUNK_BYTES = 1024 * 1024;
const ZEROS = Buffer.alloc(CHUNK_BYTES);

/** Looks for frames at every aligned offset after V, and for the last byte that is not zero. */
export function lookBeyond(
  file: ReadableFile,
  segment: SegmentHeader,
  validEnd: number,
  size: number,
): { laterFrame: FrameHeader | undefined; nonZeroEnd: number | undefined; promised: number } {
  const seed = frameSeed(segment);
  let laterFrame: FrameHeader | undefined;
  let nonZeroEnd: number | undefined;
  let promised = 0;
  for (const { at, bytes } of chunksOf(file, validEnd, size)) {
    const own = bytes.subarray(0, CHUNK_BYTES);
    if (own.equals(ZEROS.subarray(0, own.length))) continue;
    nonZeroEnd = at + lastNonZero(own) + 1;
    for (const header of frameHeadersIn(bytes, seed, at)) {
      if (header.fileOffset === validEnd || header.fileOffset >= at + CHUNK_BYTES) continue;
      laterFrame ??= header;
      promised = Math.max(promised, header.durableSequence);
    }
  }
  return { laterFrame, nonZeroEnd, promised };
}

/** Where the first frame header stands that verifies at or behind `from`. */
export function nextFrameOffset(
  file: ReadableFile,
  segment: SegmentHeader,
  from: number,
  end: number,
): number | undefined {
  const seed = frameSeed(segment);
  for (const { at, bytes } of chunksOf(file, from, end))
    for (const { fileOffset } of frameHeadersIn(bytes, seed, at)) return fileOffset;
  return undefined;
}

/** Each chunk reaches one header into the next, so that a header across the border is seen. Its bytes die with the next. */
function* chunksOf(
  file: ReadableFile,
  from: number,
  end: number,
): Generator<{ readonly at: number; readonly bytes: Buffer }> {
  const chunk = Buffer.alloc(Math.min(CHUNK_BYTES + FRAME_HEADER_BYTES, Math.max(0, end - from)));
  for (let at = from; at < end; at += CHUNK_BYTES) {
    const target = chunk.subarray(0, Math.min(chunk.length, end - at));
    yield { at, bytes: chunk.subarray(0, readAt(file, target, at)) };
  }
}

function lastNonZero(bytes: Buffer): number {
  let at = bytes.length - 1;
  while (bytes[at] === 0) at--;
  return at;
}

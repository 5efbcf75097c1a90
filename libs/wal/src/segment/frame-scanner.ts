import type { ReadableFile } from '../disk/file-system.js';
import {
  bodyVerifies,
  decodeFrameHeader,
  frameEnd,
  type FrameHeader,
  lastSequenceOf,
} from '../format/frame-decoder.js';
import { frameSeed, type SegmentHeader } from '../format/segment-header.js';
import { FRAME_HEADER_BYTES, SEGMENT_DATA_START } from '../format/wal-format.js';
import { corrupt, readFailed, type WalError } from '../wal.errors.js';

const WINDOW_BYTES = 1024 * 1024;

export interface ScannedFrame {
  readonly header: FrameHeader;
  /** The body is `buffer[bodyStart, bodyStart + header.bodyLength)`. */
  readonly buffer: Buffer;
  readonly bodyStart: number;
}

export interface ScanOptions {
  /** Where a frame starts; the first of the segment when left out. */
  readonly from?: number;
  /** Nothing at or beyond this offset is looked at. May be raised later, as a segment grows. */
  readonly limit: number;
  /** One buffer for the whole scan: a frame's bytes die with the next call. Otherwise they stay. */
  readonly reuse: boolean;
  readonly windowBytes?: number;
}

/**
 * Frame after frame of one segment. A frame is valid if and only if its header checksum verifies under this segment's seed, its
 * file offset is where it stands, it chains to its predecessor's header checksum, its sequences continue, and its body checksum
 * verifies. The scan ends at the first offset where no valid frame stands, and says why; what that means is for the caller to decide.
 */
export class FrameScanner {
  /** Where the next frame would stand. */
  offset: number;
  /** Why the last `next` found nothing. */
  stopReason = '';
  limit: number;
  private readonly seed: number;
  private previousHeaderCrc: number | undefined;
  private nextSequence: number | undefined;
  private window: Buffer = Buffer.alloc(0);
  private windowOffset = 0;

  constructor(
    private readonly file: ReadableFile,
    segment: SegmentHeader,
    private readonly options: ScanOptions,
  ) {
    this.seed = frameSeed(segment);
    this.limit = options.limit;
    this.offset = options.from ?? SEGMENT_DATA_START;
    if (this.offset === SEGMENT_DATA_START) {
      this.previousHeaderCrc = segment.headerCrc;
      this.nextSequence = segment.firstSequence;
    }
  }

  next(): ScannedFrame | undefined {
    const found = this.frameHere();
    if (typeof found === 'object') return found;
    this.stopReason = found;
    return undefined;
  }

  *[Symbol.iterator](): Generator<ScannedFrame> {
    for (let frame = this.next(); frame !== undefined; frame = this.next()) yield frame;
  }

  /** Where the scan has ended and must not: sequences from the first on cannot be read, to the last that was promised, if that is known. */
  damage(firstSequence: number, lastSequence?: number): WalError {
    return corrupt(this.stopReason, {
      file: this.file.path,
      offset: this.offset,
      firstSequence,
      ...(lastSequence !== undefined && { lastSequence }),
    });
  }

  /** The frame at `offset`, or why none stands there. */
  private frameHere(): ScannedFrame | string {
    const headerAt = this.ensure(FRAME_HEADER_BYTES);
    if (headerAt === undefined) return 'the file ends';
    const header = decodeFrameHeader(this.window, headerAt, this.seed, this.offset);
    if (header === undefined) return 'no valid frame header';
    if (
      this.previousHeaderCrc !== undefined &&
      header.previousHeaderCrc !== this.previousHeaderCrc
    ) {
      return 'the frame does not chain to the one before it';
    }
    if (this.nextSequence !== undefined && header.firstSequence !== this.nextSequence) {
      return 'the sequences do not continue';
    }
    const frameAt = this.ensure(FRAME_HEADER_BYTES + header.bodyLength);
    if (frameAt === undefined) return 'the file ends within the frame';
    const bodyStart = frameAt + FRAME_HEADER_BYTES;
    if (!bodyVerifies(header, this.window, bodyStart, bodyStart + header.bodyLength)) {
      return "the frame's body does not match its checksum";
    }
    this.offset = frameEnd(header);
    this.previousHeaderCrc = header.headerCrc;
    this.nextSequence = lastSequenceOf(header) + 1;
    return { header, buffer: this.window, bodyStart };
  }

  /** Makes the next `bytes` bytes available and says where in the window they start; undefined when the limit is nearer. */
  private ensure(bytes: number): number | undefined {
    if (this.offset + bytes > this.limit) return undefined;
    const windowEnd = this.windowOffset + this.window.length;
    if (this.offset >= this.windowOffset && this.offset + bytes <= windowEnd)
      return this.offset - this.windowOffset;
    return this.refill(bytes, Math.max(0, windowEnd - this.offset)) ? 0 : undefined;
  }

  /** Moves the window so that it begins at `offset`: what is already there is carried over, not read again. */
  private refill(bytes: number, carried: number): boolean {
    const wanted = Math.max(bytes, this.options.windowBytes ?? WINDOW_BYTES);
    const length = Math.min(wanted, this.limit - this.offset);
    const old = this.window;
    const keep = Math.min(carried, length);
    const fits = this.options.reuse && old.buffer.byteLength >= length;
    const next = fits ? Buffer.from(old.buffer, 0, length) : Buffer.from(new ArrayBuffer(length));
    old.copy(next, 0, old.length - carried, old.length - carried + keep);
    let read: number;
    try {
      read = this.file.read(next.subarray(keep), this.offset + keep);
    } catch (error) {
      throw readFailed(this.file.path, this.offset + keep, error);
    }
    this.window = next.subarray(0, keep + read);
    this.windowOffset = this.offset;
    return this.window.length >= bytes;
  }
}

import { assert, errorMessage } from '@holdfast/kernel';
import { type File, writeFully, writeFullyAsync } from '../disk/file-system.js';
import type { FrameEncoder } from '../format/frame-encoder.js';
import {
  encodeSegmentHeader,
  frameSeed,
  type PredecessorSeal,
  type SegmentHeader,
} from '../format/segment-header.js';
import type { SegmentName } from '../format/segment-name.js';
import { SparseIndex } from '../format/sparse-index.js';
import {
  SEGMENT_DATA_START,
  SEGMENT_RESERVED_BYTES,
  ZERO_CHUNK_BYTES,
} from '../format/wal-format.js';
import type { Sequence } from '../wal.types.js';
import type { SegmentSummary } from './segment-footer.js';

const ZEROS = Buffer.alloc(ZERO_CHUNK_BYTES);

/**
 * One segment file as its writer sees it. Space is planned at admission and written later: `plannedEnd` runs ahead of `writtenEnd`. Frames
 * go only where zeros were written and synced before, so that a commit's fdatasync has no new size or extent to make durable and
 * what a crash leaves behind a frame is zeros.
 */
export class SegmentWriter {
  readonly index = new SparseIndex();
  private recordCount = 0;
  private frameCount = 0;
  private firstWallMicros = 0;
  private lastWallMicros = 0;
  private planned = SEGMENT_DATA_START;
  private end = SEGMENT_DATA_START;
  private lastFrameOffset = 0;
  private seed = 0;
  private lastHeaderCrc = 0;

  constructor(
    readonly file: File,
    readonly segmentBytes: number,
    private zeroedEnd: number,
  ) {}

  get writtenEnd(): number {
    return this.end;
  }

  get plannedEnd(): number {
    return this.planned;
  }

  /**
   * Plans `bytes` more if they fit, zeroing first where needed. Throws with nothing planned: `ENOSPC` and the like, or
   * `SegmentSyncFailed`.
   */
  reserve(bytes: number, options: { intoReserve?: boolean } = {}): boolean {
    const end = this.planned + bytes;
    const reserved = options.intoReserve === true ? 0 : SEGMENT_RESERVED_BYTES;
    if (end + reserved > this.segmentBytes) return false;
    if (end > this.zeroedEnd) this.zeroUpTo(zeroedEndFor(end, this.segmentBytes));
    this.planned = end;
    return true;
  }

  /** The bytes of zeros that `reserve` would write for `bytes` more: none where they do not fit. */
  zerosFor(bytes: number): number {
    const end = this.planned + bytes;
    if (end <= this.zeroedEnd || end + SEGMENT_RESERVED_BYTES > this.segmentBytes) return 0;
    return zeroedEndFor(end, this.segmentBytes) - this.zeroedEnd;
  }

  /**
   * Writes both copies of the header and syncs them. The file still has its temporary name: crash here, and the next open removes it
   * (recovery: `stray`).
   */
  async start(header: Omit<SegmentHeader, 'headerCrc'>): Promise<SegmentHeader> {
    const block = encodeSegmentHeader(header);
    await writeFullyAsync(this.file, Buffer.concat([block, block]), 0);
    // This also makes durable that the file is as long as it is: a named segment that is shorter has been cut (`cut-short`).
    await this.file.dataSyncAsync();
    this.seed = frameSeed(header);
    this.lastHeaderCrc = block.readUInt32LE(8);
    return { ...header, headerCrc: this.lastHeaderCrc };
  }

  /** The frame's bytes for its place at `writtenEnd`. The frame counts only once `advance` was called. */
  encode(
    encoder: FrameEncoder,
    first: Sequence,
    durable: Sequence,
    wallMicros: number,
  ): EncodedFrame {
    const { bytes, headerCrc } = encoder.finish(first, {
      seed: this.seed,
      fileOffset: this.end,
      previousHeaderCrc: this.lastHeaderCrc,
      durableSequence: durable,
      wallMicros,
    });
    assert(
      this.end + bytes.length <= this.planned,
      'a frame stays within the space planned for it',
    );
    return { bytes, headerCrc, first, recordCount: encoder.recordCount, wallMicros };
  }

  write(frame: EncodedFrame): void {
    writeFully(this.file, frame.bytes, this.end);
  }

  writeAsync(frame: EncodedFrame): Promise<void> {
    return writeFullyAsync(this.file, frame.bytes, this.end);
  }

  /** The frame has been written: the next one follows it. */
  advance(frame: EncodedFrame): void {
    this.index.offer(frame.first, this.end);
    this.lastFrameOffset = this.end;
    this.lastHeaderCrc = frame.headerCrc;
    this.end += frame.bytes.length;
    this.recordCount += frame.recordCount;
    this.frameCount++;
    this.lastWallMicros = frame.wallMicros;
    if (this.firstWallMicros === 0) this.firstWallMicros = frame.wallMicros;
  }

  /** What the successor's header says of this segment once it has taken its last frame. */
  seal(name: SegmentName, lastSequence: Sequence): PredecessorSeal {
    return {
      dataLength: this.end,
      lastSequence,
      lastHeaderCrc: this.lastHeaderCrc,
      lastFrameOffset: this.lastFrameOffset,
      generation: name.generation,
    };
  }

  /** What the footer says once the segment is sealed. */
  summary(): SegmentSummary {
    const { recordCount, frameCount, firstWallMicros, lastWallMicros, index } = this;
    return {
      dataLength: this.end,
      recordCount,
      frameCount,
      firstWallMicros,
      lastWallMicros,
      index,
    };
  }

  private zeroUpTo(target: number): void {
    for (let at = this.zeroedEnd; at < target; at += ZERO_CHUNK_BYTES) {
      writeFully(this.file, ZEROS.subarray(0, Math.min(ZERO_CHUNK_BYTES, target - at)), at);
    }
    try {
      // Crash around this sync: a longer or a shorter file of which nothing beyond the frames counts yet.
      this.file.dataSync();
    } catch (error) {
      throw new SegmentSyncFailed(error);
    }
    this.zeroedEnd = target;
  }
}

/** How far a segment is zeroed that is planned up to `end`. */
function zeroedEndFor(end: number, segmentBytes: number): number {
  return Math.min(segmentBytes, Math.ceil(end / ZERO_CHUNK_BYTES) * ZERO_CHUNK_BYTES);
}

/** The bytes of zeros that come before a first frame of `bytes` in a segment of which nothing is zeroed. */
export function zerosForFirst(bytes: number, segmentBytes: number): number {
  return zeroedEndFor(SEGMENT_DATA_START + bytes, segmentBytes);
}

/**
 * A sync or a write that was only to make room has failed. The kernel tells an open file of a failed write-back once, so this error may have been
 * that of a frame in flight, whose own sync will now succeed: the writer must end as if the frame's sync had failed.
 */
export class SegmentSyncFailed extends Error {
  override readonly name = 'SegmentSyncFailed';

  constructor(cause: unknown, what = 'syncing zeros') {
    super(`${what} failed: ${errorMessage(cause)}`, { cause });
  }
}

export interface EncodedFrame {
  readonly bytes: Buffer;
  readonly headerCrc: number;
  readonly first: Sequence;
  readonly recordCount: number;
  readonly wallMicros: number;
}

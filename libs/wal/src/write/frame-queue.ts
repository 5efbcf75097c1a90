import { assert } from '@holdfast/kernel';
import { FrameEncoder } from '../format/frame-encoder.js';
import { encodedRecordBytes, FRAME_HEADER_BYTES, GROUP_BYTES_MAX } from '../format/wal-format.js';
import type { SegmentWriter } from '../segment/segment-writer.js';
import { WalError } from '../wal.errors.js';
import type { Sequence } from '../wal.types.js';
import type { SegmentChain } from './segment-chain.js';

export interface FrameLimits {
  readonly recordBytesMax: number;
  readonly frameBytesMax: number;
  readonly queuedBytesMax: number;
}

/** A frame that is being filled, waits to be written, or is in flight. Its batches are acknowledged together. */
export interface PendingFrame {
  readonly segment: SegmentWriter;
  readonly encoder: FrameEncoder;
  readonly first: Sequence;
  last: Sequence;
  batches: number;
  /** One of its batches asked for more than the log's mode. */
  needsSync: boolean;
  readonly acknowledged: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: WalError) => void;
}

const ENCODER_INITIAL_BYTES = 64 * 1024;
/** Encoders that grew beyond this are not kept. */
const ENCODER_KEPT_BYTES_MAX = 8 * 1024 * 1024;
const ENCODERS_KEPT_MAX = 4;

/**
 * What has been admitted and not yet written, as the frames that it will be written in. A batch joins the last frame until that is full, so which
 * frame it is in and where that frame will stand are known at admission; nothing is left to be found out, or to fail, later.
 */
export class FrameQueue {
  private readonly frames: PendingFrame[] = [];
  private readonly spareEncoders: FrameEncoder[] = [];
  private nextSequence: number;
  private unacknowledged = 0;

  constructor(
    private readonly chain: SegmentChain,
    private readonly limits: FrameLimits,
    lastSequence: Sequence,
  ) {
    this.nextSequence = lastSequence + 1;
  }

  /** Assigned to the last record admitted. */
  get lastSequence(): Sequence {
    return (this.nextSequence - 1) as Sequence;
  }

  /** Bytes of batches admitted and not yet acknowledged: also those of the frame in flight. */
  get queuedBytes(): number {
    return this.unacknowledged;
  }

  get head(): PendingFrame | undefined {
    return this.frames[0];
  }

  /**
   * Copies a batch into the frame that will hold it. Throws `WAL_EMPTY_BATCH`, `WAL_TOO_LARGE`, `WAL_OVERLOADED`, `WAL_FULL`, or
   * `SegmentSyncFailed`, before anything is assigned.
   */
  add(payloads: readonly Uint8Array[]): { first: Sequence; frame: PendingFrame } {
    const bytes = this.measure(payloads);
    if (this.unacknowledged + bytes > this.limits.queuedBytesMax) throw this.overloaded();
    const frame = this.frameFor(bytes);
    frame.encoder.add(payloads, bytes);
    const first = this.nextSequence as Sequence;
    this.nextSequence += payloads.length;
    this.unacknowledged += bytes;
    frame.last = this.lastSequence;
    frame.batches++;
    return { first, frame };
  }

  /** An empty frame, if its segment has a place for it. No batch joins it: its place was planned for a header only. */
  addEmpty(): PendingFrame | undefined {
    const segment = this.chain.reserveEmpty(FRAME_HEADER_BYTES);
    return segment && this.open(segment);
  }

  /** Takes the first frame out, to be written; no batch joins it any more. */
  take(): PendingFrame | undefined {
    return this.frames.shift();
  }

  /** The frame that was taken is written and will be acknowledged: its bytes no longer wait, and its memory is used again. */
  release({ encoder }: PendingFrame): void {
    this.unacknowledged -= encoder.byteLength - FRAME_HEADER_BYTES;
    const isKept =
      encoder.capacity <= ENCODER_KEPT_BYTES_MAX && this.spareEncoders.length < ENCODERS_KEPT_MAX;
    if (isKept) this.spareEncoders.push(encoder);
  }

  /** Everything that will not be written any more. */
  takeAll(): PendingFrame[] {
    return this.frames.splice(0);
  }

  private measure(payloads: readonly Uint8Array[]): number {
    const { recordBytesMax, frameBytesMax } = this.limits;
    if (payloads.length === 0)
      throw new WalError('WAL_EMPTY_BATCH', 'a batch has at least one record');
    let bytes = 0;
    for (const payload of payloads) {
      if (payload.length > recordBytesMax) throw tooLarge('record', payload.length, recordBytesMax);
      bytes += encodedRecordBytes(payload.length);
    }
    if (bytes > frameBytesMax) throw tooLarge('batch', bytes, frameBytesMax);
    assert(
      Number.isSafeInteger(this.nextSequence + payloads.length),
      'sequences stay safe integers',
    );
    return bytes;
  }

  /** The last frame while it takes more, or a new one; with room for `bytes` of body planned in its segment. */
  private frameFor(bytes: number): PendingFrame {
    const last = this.frames.at(-1);
    if (last !== undefined && this.takesMore(last, bytes) && this.chain.extend(last.segment, bytes))
      return last;
    const segment = this.chain.reserve(FRAME_HEADER_BYTES + bytes);
    if (segment === undefined) throw this.overloaded();
    return this.open(segment);
  }

  private takesMore(frame: PendingFrame, bytes: number): boolean {
    const bodyMax = Math.min(GROUP_BYTES_MAX, this.limits.frameBytesMax);
    return frame.batches > 0 && frame.encoder.byteLength - FRAME_HEADER_BYTES + bytes <= bodyMax;
  }

  private open(segment: SegmentWriter): PendingFrame {
    const encoder = this.spareEncoders.pop() ?? new FrameEncoder(ENCODER_INITIAL_BYTES);
    encoder.reset();
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    // Whoever ignores the outcome of an append has chosen to; the poison is reported elsewhere.
    promise.catch(() => undefined);
    const frame: PendingFrame = {
      segment,
      encoder,
      first: this.nextSequence as Sequence,
      last: this.lastSequence,
      batches: 0,
      needsSync: false,
      acknowledged: promise,
      resolve: () => resolve(undefined),
      reject,
    };
    this.frames.push(frame);
    return frame;
  }

  private overloaded(): WalError {
    const { queuedBytesMax } = this.limits;
    return new WalError(
      'WAL_OVERLOADED',
      `${this.unacknowledged} bytes wait to be written, and at most ${queuedBytesMax} may; nothing was appended`,
      { queuedBytes: this.unacknowledged, queuedBytesMax },
    );
  }
}

function tooLarge(what: 'record' | 'batch', bytes: number, bytesMax: number): WalError {
  return new WalError(
    'WAL_TOO_LARGE',
    `a ${what} has at most ${bytesMax} bytes, not ${bytes}; nothing was appended`,
    { bytes, bytesMax },
  );
}

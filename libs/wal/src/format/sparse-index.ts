import { SEGMENT_DATA_START, SPARSE_INDEX_BYTES } from './wal-format.js';

/**
 * Sequence → file offset, one entry for about 64 KiB of frames: small enough to hold for every segment that is read, close enough
 * that finding a record walks a few headers only.
 */
export class SparseIndex {
  constructor(
    private readonly sequences: number[] = [],
    private readonly offsets: number[] = [],
  ) {}

  get length(): number {
    return this.sequences.length;
  }

  entries(): { sequence: number; offset: number }[] {
    return this.sequences.map((sequence, at) => ({ sequence, offset: this.offsets[at] ?? 0 }));
  }

  /** Told of each frame in order; keeps the ones that are far enough from the last kept. */
  offer(firstSequence: number, offset: number): void {
    const last = this.offsets.at(-1) ?? SEGMENT_DATA_START;
    if (offset - last < SPARSE_INDEX_BYTES) return;
    this.sequences.push(firstSequence);
    this.offsets.push(offset);
  }

  /** The offset of a frame at or before the one that holds the sequence. */
  locate(sequence: number): number {
    let low = 0;
    let high = this.sequences.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.sequences[middle] ?? Infinity) <= sequence) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? SEGMENT_DATA_START : (this.offsets[low - 1] ?? SEGMENT_DATA_START);
  }
}

import type { File } from './file-system.js';
import { lastSequenceOf } from './frame-decoder.js';
import { FrameScanner, type ScannedFrame } from './frame-scanner.js';
import type { CatalogEntry, SegmentCatalog } from './segment-catalog.js';
import { corrupt, missingSegment, type WalError } from './wal.errors.js';
import type { Sequence } from './wal.types.js';

/** How far a reader may look. Everything before it is durable and never changes again. */
export interface VisibleBound {
  readonly sequence: Sequence;
  /** The segment that holds `sequence`, and the end of its frame there. */
  readonly segment: number;
  readonly offset: number;
}

/**
 * Walks the frames of a log from a sequence on, across segments, and goes on where it stood when the bound has moved. It never
 * reads a byte behind the bound, so what it has buffered cannot become stale.
 */
export class LogCursor {
  private entry: CatalogEntry | undefined;
  private file: File | undefined;
  private scanner: FrameScanner | undefined;
  private nextSequence: number;

  constructor(
    private readonly catalog: SegmentCatalog,
    after: Sequence,
    /** One buffer for all frames: each dies with the next call. */
    private readonly reuse: boolean,
  ) {
    this.nextSequence = after + 1;
  }

  /** The file that the last frame came from. */
  get path(): string {
    return this.entry?.path ?? '';
  }

  /** The next frame with records behind `after`, or undefined at the bound. Throws `WAL_CORRUPT`, `WAL_MISSING_SEGMENT`. */
  next(bound: VisibleBound): ScannedFrame | undefined {
    while (this.nextSequence <= bound.sequence) {
      const scanner = this.scanner ?? this.enter(this.segmentOf(this.nextSequence));
      const entry = this.catalog.bySegment(this.entry?.name.segment ?? 0) ?? this.entry;
      if (entry === undefined) break;
      scanner.limit = limitOf(entry, bound);
      const frame = scanner.next();
      if (frame === undefined) {
        const sealedUnseen = entry.dataLength === undefined && entry.name.segment !== bound.segment;
        if (scanner.offset !== entry.dataLength && !sealedUnseen)
          throw this.damage(entry, scanner, bound);
        this.enter(this.successorOf(entry));
        continue;
      }
      const { firstSequence, fileOffset } = frame.header;
      this.catalog.passed(entry, firstSequence, fileOffset);
      const last = lastSequenceOf(frame.header);
      if (last < this.nextSequence) continue;
      this.nextSequence = last + 1;
      return frame;
    }
    return undefined;
  }

  close(): void {
    this.file?.close();
    this.file = undefined;
    this.scanner = undefined;
  }

  private enter(entry: CatalogEntry): FrameScanner {
    this.close();
    this.entry = entry;
    this.file = this.catalog.openFile(entry);
    const from = this.catalog.locate(entry, this.nextSequence);
    this.scanner = new FrameScanner(this.file, entry.header, {
      from,
      limit: from,
      reuse: this.reuse,
    });
    return this.scanner;
  }

  private segmentOf(sequence: number): CatalogEntry {
    const entry = this.catalog.find(sequence);
    if (entry !== undefined) return entry;
    const first = this.catalog.all()[0];
    throw missingSegment(first?.path ?? 'the log', {
      segment: (first?.name.segment ?? 1) - 1,
      firstSequence: sequence,
      lastSequence: (first?.name.firstSequence ?? 1) - 1,
    });
  }

  private successorOf(entry: CatalogEntry): CatalogEntry {
    const successor = this.catalog.bySegment(entry.name.segment + 1);
    if (successor !== undefined) return successor;
    throw missingSegment(entry.path, {
      segment: entry.name.segment + 1,
      firstSequence: this.nextSequence,
    });
  }

  private damage(entry: CatalogEntry, scanner: FrameScanner, bound: VisibleBound): WalError {
    return corrupt(scanner.stopReason, {
      file: entry.path,
      offset: scanner.offset,
      firstSequence: this.nextSequence,
      lastSequence: bound.sequence,
    });
  }
}

function limitOf(entry: CatalogEntry, bound: VisibleBound): number {
  if (entry.dataLength !== undefined) return entry.dataLength;
  return entry.name.segment === bound.segment ? bound.offset : 0;
}

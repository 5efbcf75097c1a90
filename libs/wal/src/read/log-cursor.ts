import { defined } from '@holdfast/kernel';
import type { File } from '../disk/file-system.js';
import { lastSequenceOf } from '../format/frame-decoder.js';
import { FrameScanner, type ScannedFrame } from '../segment/frame-scanner.js';
import { missingSegment, sequenceGone } from '../wal.errors.js';
import type { Sequence } from '../wal.types.js';
import type { CatalogEntry, SegmentCatalog } from './segment-catalog.js';

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

  /**
   * The next frame with records behind `after`, or undefined at the bound. Throws `WAL_SEQUENCE_GONE` when retention has removed what comes next,
   * `WAL_CORRUPT`, `WAL_MISSING_SEGMENT`.
   */
  next(bound: VisibleBound): ScannedFrame | undefined {
    while (this.nextSequence <= bound.sequence) {
      const scanner = this.scanner ?? this.enter(this.segmentOf(this.nextSequence));
      const entry = this.refreshed();
      if (entry === undefined) continue;
      scanner.limit = limitOf(entry, bound);
      const frame = scanner.next();
      if (frame === undefined) {
        const sealedUnseen = entry.dataLength === undefined && entry.name.segment !== bound.segment;
        if (scanner.offset !== entry.dataLength && !sealedUnseen)
          throw scanner.damage(this.nextSequence, bound.sequence);
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

  /**
   * What the catalog says now of the segment whose file is open. When the writer has replaced that file, undefined: the reader enters the new one where
   * it stood. When it was removed, and it is known where it ended, the reader goes on in the file that it has open.
   */
  private refreshed(): CatalogEntry | undefined {
    const entered = defined(this.entry, 'an entered segment');
    const entry = this.catalog.bySegment(entered.name.segment);
    if (entry?.path === entered.path) {
      this.entry = entry;
      return entry;
    }
    if (entry === undefined && entered.dataLength !== undefined) return entered;
    this.close();
    return undefined;
  }

  private enter(asked: CatalogEntry): FrameScanner {
    this.close();
    const { entry, file } = this.catalog.open(asked);
    this.entry = entry;
    this.file = file;
    const from = this.catalog.locate(entry, file, this.nextSequence);
    this.scanner = new FrameScanner(file, entry.header, {
      from,
      limit: from,
      reuse: this.reuse,
    });
    return this.scanner;
  }

  private segmentOf(sequence: number): CatalogEntry {
    const entry = this.catalog.find(sequence);
    if (entry !== undefined) return entry;
    const { firstSequence } = this.catalog;
    if (sequence < firstSequence) throw sequenceGone(sequence, firstSequence);
    const first = this.catalog.all()[0];
    throw missingSegment(first?.path ?? 'the log', {
      segment: (first?.name.segment ?? 1) - 1,
      firstSequence: sequence,
      lastSequence: (first?.name.firstSequence ?? 1) - 1,
    });
  }

  private successorOf(entry: CatalogEntry): CatalogEntry {
    const segment = entry.name.segment + 1;
    const successor = this.catalog.bySegment(segment);
    if (successor !== undefined) return successor;
    // Removed while its predecessor was read from a file that was open.
    if (this.catalog.hasLeft(segment))
      throw sequenceGone(this.nextSequence, this.catalog.firstSequence);
    throw missingSegment(entry.path, { segment, firstSequence: this.nextSequence });
  }
}

function limitOf(entry: CatalogEntry, bound: VisibleBound): number {
  if (entry.dataLength !== undefined) return entry.dataLength;
  return entry.name.segment === bound.segment ? bound.offset : 0;
}

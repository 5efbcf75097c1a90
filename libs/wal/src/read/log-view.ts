import { setImmediate } from 'node:timers/promises';
import { errorCode } from '@holdfast/kernel';
import {
  frameEnd,
  type FrameHeader,
  lastSequenceOf,
  type RecordVisitor,
  visitRecords,
} from '../format/frame-decoder.js';
import { FrameScanner, type ScannedFrame } from '../segment/frame-scanner.js';
import { endsIn } from '../segment/log-ending.js';
import { corrupt, unsupported } from '../wal.errors.js';
import type {
  LogSource,
  LogTimeline,
  ReadRange,
  ScanVisitor,
  Sequence,
  WalRecord,
} from '../wal.types.js';
import { LogCursor, type VisibleBound } from './log-cursor.js';
import type { CatalogEntry, SegmentCatalog } from './segment-catalog.js';

/** Where a view learns how far it may look: the writer itself, or its watermark seen from another process. */
export interface Visibility {
  readonly logId: string;
  readonly catalog: SegmentCatalog;
  /** As of now. The catalog knows every segment up to it when this returns. */
  bound(): VisibleBound;
  waitBeyond(after: Sequence, signal?: AbortSignal): Promise<void>;
  /** The lowest sequence that is in the log now. */
  readonly firstSequence: number;
  /** What is remembered of a place that has left the log. */
  timelineBefore(sequence: Sequence): string | undefined;
}

/** A scan lets others run after this many bytes: about 4 milliseconds of work. */
const YIELD_BYTES = 4 * 1024 * 1024;
/** Frames kept for reading single records. */
const CACHED_FRAMES_MAX = 16;
/** A bigger frame is read again rather than kept. */
const CACHED_FRAME_BYTES_MAX = 8 * 1024 * 1024;

/** The reading half of the log, the same for the writer and for readers in other processes. */
export class LogView implements LogSource {
  private readonly cachedFrames: { path: string; frame: ScannedFrame }[] = [];

  constructor(private readonly visibility: Visibility) {}

  get logId(): string {
    return this.visibility.logId;
  }

  get durableSequence(): Sequence {
    return this.visibility.bound().sequence;
  }

  get firstSequence(): Sequence {
    return this.visibility.firstSequence as Sequence;
  }

  recordAt(sequence: Sequence): WalRecord | undefined {
    const bound = this.visibility.bound();
    const { catalog } = this.visibility;
    if (sequence < catalog.firstSequence || sequence > bound.sequence) return undefined;
    const entry = catalog.find(sequence);
    if (entry === undefined) return undefined;
    let frame: ScannedFrame;
    try {
      frame = this.frameOf(entry, sequence, bound);
    } catch (error) {
      // Removed since the bound was taken: it is not in the visible part of the log any more.
      if (errorCode(error) === 'WAL_SEQUENCE_GONE') return undefined;
      throw error;
    }
    const found = this.firstOf(entry, frame, sequence);
    // Past it: compaction dropped this one.
    return found?.sequence === sequence ? found : undefined;
  }

  recordAtOrAbove(sequence: Sequence): WalRecord | undefined {
    const bound = this.visibility.bound();
    const { catalog } = this.visibility;
    let from = Math.max(sequence, catalog.firstSequence);
    while (from <= bound.sequence) {
      const entry = catalog.find(from);
      if (entry === undefined) return undefined;
      try {
        const frame = this.frameOf(entry, from as Sequence, bound);
        const found = this.firstOf(entry, frame, from);
        if (found !== undefined) return found.sequence > bound.sequence ? undefined : found;
        // Compaction makes one frame of all frames that it drops one after another.
        from = lastSequenceOf(frame.header) + 1;
      } catch (error) {
        if (errorCode(error) !== 'WAL_SEQUENCE_GONE') throw error;
        // Removed since the bound was taken: the log begins behind it now.
        from = Math.max(from + 1, catalog.firstSequence);
      }
    }
    return undefined;
  }

  async *read(range: ReadRange): AsyncGenerator<WalRecord> {
    const cursor = new LogCursor(this.visibility.catalog, range.after, false);
    try {
      yield* this.recordsUpTo(cursor, range.after, this.boundedBy(range.upTo));
    } finally {
      cursor.close();
    }
  }

  async *follow(options: { after: Sequence; signal?: AbortSignal }): AsyncGenerator<WalRecord> {
    const { signal } = options;
    let { after } = options;
    const cursor = new LogCursor(this.visibility.catalog, after, false);
    try {
      while (signal?.aborted !== true) {
        const bound = this.visibility.bound();
        for await (const record of this.recordsUpTo(cursor, after, bound, signal)) {
          yield record;
          after = record.sequence;
        }
        if (bound.sequence > after) after = bound.sequence;
        await this.visibility.waitBeyond(after, signal);
      }
    } finally {
      cursor.close();
    }
  }

  async scan(after: Sequence, visitor: ScanVisitor, upTo?: Sequence): Promise<Sequence> {
    const bound = this.boundedBy(upTo);
    const cursor = new LogCursor(this.visibility.catalog, after, true);
    let last = after;
    let bytes = 0;
    // Widened: the visitor below sets it where the compiler does not look.
    let wanted = true as boolean;
    try {
      for (let frame = cursor.next(bound); frame !== undefined; frame = cursor.next(bound)) {
        const { buffer } = frame;
        const walked = this.visit(cursor.path, frame, (at, start, end, endsBatch) => {
          if (at <= after) return true;
          if (at > bound.sequence) return false;
          last = at as Sequence;
          if (visitor(last, buffer, start, end, endsBatch) !== false) return true;
          wanted = false;
          return false;
        });
        if (walked === 'stopped') break;
        bytes += frame.header.bodyLength;
        if (bytes >= YIELD_BYTES) {
          bytes = 0;
          await setImmediate();
        }
      }
    } finally {
      cursor.close();
    }
    // What compaction dropped at the end is passed over like what it dropped before.
    return wanted && bound.sequence > last ? bound.sequence : last;
  }

  waitBeyond(after: Sequence, signal?: AbortSignal): Promise<void> {
    return this.visibility.waitBeyond(after, signal);
  }

  timelineAt(sequence: Sequence): string | undefined {
    if (sequence === 0) return '';
    if (sequence > this.durableSequence) return undefined;
    if (sequence < this.firstSequence)
      return sequence + 1 === this.firstSequence
        ? this.visibility.timelineBefore(sequence)
        : undefined;
    return this.visibility.catalog.find(sequence)?.header.timeline;
  }

  endsIn(timeline: string): boolean {
    const { durableSequence, visibility } = this;
    const before = visibility.timelineBefore(durableSequence);
    return endsIn(timeline, visibility.catalog.all(), durableSequence, before);
  }

  get newestTimeline(): string {
    // The bound first: with it the catalog is as new as what is durable.
    this.visibility.bound();
    return this.visibility.catalog.newest?.header.timeline ?? '';
  }

  timelines(countMax: number): LogTimeline[] {
    const found: LogTimeline[] = [];
    for (const { header, name } of this.visibility.catalog.all().toReversed()) {
      const { timeline } = header;
      const firstSequence = name.firstSequence as Sequence;
      const later = found.at(-1);
      if (later?.timeline === timeline) found[found.length - 1] = { timeline, firstSequence };
      else if (later?.firstSequence === firstSequence) continue;
      else if (found.length === countMax) break;
      else found.push({ timeline, firstSequence });
    }
    return found.length === countMax ? found : [...found, ...this.timelineBefore()];
  }

  /** That of the place right before the first record, if it is known: as if it were the place alone. */
  private timelineBefore(): LogTimeline[] {
    const firstSequence = (this.firstSequence - 1) as Sequence;
    const timeline = this.visibility.timelineBefore(firstSequence);
    return timeline === undefined ? [] : [{ timeline, firstSequence }];
  }

  private async *recordsUpTo(
    cursor: LogCursor,
    after: Sequence,
    limit: VisibleBound,
    signal?: AbortSignal,
  ): AsyncGenerator<WalRecord> {
    let bytes = 0;
    for (let frame = cursor.next(limit); frame !== undefined; frame = cursor.next(limit)) {
      const { buffer } = frame;
      const records: WalRecord[] = [];
      this.visit(cursor.path, frame, (at, start, end, endsBatch) => {
        if (at > limit.sequence) return false;
        if (at > after)
          records.push({
            sequence: at as Sequence,
            payload: buffer.subarray(start, end),
            endsBatch,
          });
        return true;
      });
      for (const record of records) {
        if (signal?.aborted === true) return;
        yield record;
      }
      bytes += frame.header.bodyLength;
      if (bytes >= YIELD_BYTES) {
        bytes = 0;
        await setImmediate();
      }
    }
  }

  private boundedBy(upTo: Sequence | undefined): VisibleBound {
    const bound = this.visibility.bound();
    return upTo === undefined || upTo >= bound.sequence ? bound : { ...bound, sequence: upTo };
  }

  /** The frame that holds the sequence: a cached one, or found by walking headers from the sparse index on. */
  private frameOf(entry: CatalogEntry, sequence: Sequence, bound: VisibleBound): ScannedFrame {
    const cached = this.cachedFrames.find(
      ({ path, frame }) => path === entry.path && holds(frame.header, sequence),
    );
    if (cached !== undefined) return cached.frame;
    const { catalog } = this.visibility;
    const { entry: current, file } = catalog.borrow(entry);
    const scanner = new FrameScanner(file, current.header, {
      from: catalog.locate(current, file, sequence),
      limit: current.dataLength ?? bound.offset,
      reuse: false,
      windowBytes: 64 * 1024,
    });
    for (const frame of scanner) {
      if (!holds(frame.header, sequence)) continue;
      this.cache(current.path, frame);
      return frame;
    }
    throw scanner.damage(sequence);
  }

  /** The first record of the frame that is not below the sequence. */
  private firstOf(
    { path }: CatalogEntry,
    frame: ScannedFrame,
    sequence: number,
  ): WalRecord | undefined {
    let found: WalRecord | undefined;
    this.visit(path, frame, (at, start, end, endsBatch) => {
      if (at < sequence) return true;
      const payload = frame.buffer.subarray(start, end);
      found = { sequence: at as Sequence, payload, endsBatch };
      return false;
    });
    return found;
  }

  private cache(path: string, frame: ScannedFrame): void {
    if (frameEnd(frame.header) - frame.header.fileOffset > CACHED_FRAME_BYTES_MAX) return;
    this.cachedFrames.unshift({ path, frame });
    if (this.cachedFrames.length > CACHED_FRAMES_MAX) this.cachedFrames.pop();
  }

  private visit(path: string, frame: ScannedFrame, visitor: RecordVisitor): 'complete' | 'stopped' {
    const result = visitRecords(frame.header, frame.buffer, frame.bodyStart, visitor);
    if (result === 'unsupported') {
      throw unsupported(path, 'a record type that this version does not know');
    }
    if (result !== 'malformed') return result;
    throw corrupt('the records of a frame do not add up', {
      file: path,
      offset: frame.header.fileOffset,
      firstSequence: frame.header.firstSequence,
    });
  }
}

function holds(header: FrameHeader, sequence: number): boolean {
  return header.firstSequence <= sequence && sequence <= lastSequenceOf(header);
}

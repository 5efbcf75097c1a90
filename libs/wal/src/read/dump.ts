import { visitRecords } from '../format/frame-decoder.js';
import { FrameScanner, type ScannedFrame } from '../segment/frame-scanner.js';
import { corrupt, missingSegment } from '../wal.errors.js';
import type { ReadRange, Sequence, WalRecord } from '../wal.types.js';
import type { VisibleBound } from './log-cursor.js';
import type { CatalogEntry, SegmentCatalog } from './segment-catalog.js';

/** One group commit as it stands on disk. An empty frame carries the durable sequence only. */
export interface DumpedFrame {
  readonly file: string;
  /** Where its header stands in the file. */
  readonly offset: number;
  readonly bodyBytes: number;
  readonly firstSequence: Sequence;
  /** The one before the first when the frame is empty. */
  readonly lastSequence: Sequence;
  readonly recordCount: number;
  /** What the writer knew to be synced when it wrote the frame. */
  readonly durableSequence: Sequence;
  readonly writtenAtMicros: number;
  readonly headerCrc: number;
  readonly bodyCrc: number;
  /** Views that stay valid. */
  readonly records: readonly WalRecord[];
}

/**
 * Every frame that holds a sequence of the range, empty frames between them too: what an operator looks at. Throws
 * `WAL_CORRUPT`, `WAL_MISSING_SEGMENT` at the first frame that cannot be read; those before it have been given out.
 */
export function* dumpFrames(
  catalog: SegmentCatalog,
  range: Required<ReadRange>,
  bound: VisibleBound,
): Generator<DumpedFrame> {
  let previous: CatalogEntry | undefined;
  for (const entry of catalog.all()) {
    if (entry.name.segment > bound.segment || entry.name.firstSequence > range.upTo) return;
    if (previous !== undefined && entry.name.segment !== previous.name.segment + 1)
      throw missingSegment(previous.path, { segment: previous.name.segment + 1 });
    previous = entry;
    // A sealed segment ends where its successor begins.
    const successor = catalog.bySegment(entry.name.segment + 1);
    if (successor !== undefined && successor.name.firstSequence <= range.after + 1) continue;
    const growing = entry.name.segment === bound.segment ? bound.offset : undefined;
    yield* framesOf(catalog, entry, entry.dataLength ?? growing, range);
  }
}

function* framesOf(
  catalog: SegmentCatalog,
  entry: CatalogEntry,
  /** Undefined where a missing successor would have told it: then the frames are given as far as they are valid. */
  length: number | undefined,
  range: Required<ReadRange>,
): Generator<DumpedFrame> {
  const { entry: current, file } = catalog.open(entry);
  let next = Math.max(range.after + 1, entry.name.firstSequence);
  try {
    const limit = current.dataLength ?? length ?? file.size();
    const scanner = new FrameScanner(file, current.header, {
      from: catalog.locate(current, file, next),
      limit,
      reuse: false,
    });
    for (const frame of scanner) {
      const dumped = dumpedFrame(current.path, frame);
      if (dumped.firstSequence > range.upTo) return;
      // The sparse index leads to a frame before the first that is asked for.
      if (dumped.lastSequence + 1 < next || (dumped.lastSequence < next && dumped.recordCount > 0))
        continue;
      next = dumped.lastSequence + 1;
      yield dumped;
    }
    if (length === undefined || length === 0 || scanner.offset === limit) return;
    throw scanner.damage(next);
  } finally {
    file.close();
  }
}

function dumpedFrame(path: string, { header, buffer, bodyStart }: ScannedFrame): DumpedFrame {
  const records: WalRecord[] = [];
  const result = visitRecords(header, buffer, bodyStart, (sequence, start, end, endsBatch) => {
    records.push({
      sequence: sequence as Sequence,
      payload: buffer.subarray(start, end),
      endsBatch,
    });
  });
  if (result !== 'complete') {
    throw corrupt(`the records of a frame are ${result}`, {
      file: path,
      offset: header.fileOffset,
      firstSequence: header.firstSequence,
    });
  }
  return {
    file: path,
    offset: header.fileOffset,
    bodyBytes: header.bodyLength,
    firstSequence: header.firstSequence as Sequence,
    lastSequence: (header.firstSequence + header.sequenceSpan - 1) as Sequence,
    recordCount: header.recordCount,
    durableSequence: header.durableSequence as Sequence,
    writtenAtMicros: header.wallMicros,
    headerCrc: header.headerCrc,
    bodyCrc: header.bodyCrc,
    records,
  };
}

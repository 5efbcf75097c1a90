import { setImmediate } from 'node:timers/promises';
import { assert } from '@holdfast/kernel';
import { type File, type FileSystem, writeFully, writeFullyAsync } from '../../disk/file-system.js';
import { crc32 } from '../../format/checksum.js';
import {
  frameEnd,
  type FrameHeader,
  lastSequenceOf,
  visitRecords,
} from '../../format/frame-decoder.js';
import { FrameEncoder } from '../../format/frame-encoder.js';
import { encodeSegmentHeader, frameSeed, type SegmentHeader } from '../../format/segment-header.js';
import { SparseIndex } from '../../format/sparse-index.js';
import { SEGMENT_DATA_START } from '../../format/wal-format.js';
import type { CatalogEntry } from '../../read/segment-catalog.js';
import { FrameScanner, type ScannedFrame } from '../../segment/frame-scanner.js';
import { encodeFooter } from '../../segment/segment-footer.js';
import { corrupt, unsupported } from '../../wal.errors.js';
import type { Sequence } from '../../wal.types.js';

export type DropRecord = (
  sequence: Sequence,
  buffer: Buffer,
  start: number,
  end: number,
) => boolean;

export interface CompactionSource {
  readonly entry: CatalogEntry;
  readonly dataLength: number;
  /** Whoever asks closes it. */
  readonly open: () => File;
}

interface Measured {
  readonly dropped: number;
  readonly dataLength: number;
  readonly lastFrameOffset: number;
}

const YIELD_BYTES = 4 * 1024 * 1024;

/** A frame as it will be written: what is kept of one frame, or the gap that stands for several of which nothing is. */
interface KeptFrame {
  readonly encoder: FrameEncoder;
  readonly firstSequence: Sequence;
  readonly source: FrameHeader;
  readonly dropped: number;
}

/** The file of a compacted segment: how big it would be, and how it is written. */
export const CompactedFile = {
  /** Throws `WAL_CORRUPT`, `WAL_UNSUPPORTED_FORMAT` when the source is not what was written. */
  async measure(source: CompactionSource, drop: DropRecord): Promise<Measured> {
    let [dropped, offset, lastFrameOffset] = [0, SEGMENT_DATA_START, 0];
    for await (const frame of keptFrames(source, drop)) {
      dropped += frame.dropped;
      lastFrameOffset = offset;
      offset += frame.encoder.byteLength;
    }
    return { dropped, dataLength: offset, lastFrameOffset };
  },

  /** Durable, with its footer, and compared with the source record by record, when it resolves. */
  async write(
    fileSystem: FileSystem,
    path: string,
    source: CompactionSource,
    drop: DropRecord,
    header: Omit<SegmentHeader, 'headerCrc'>,
  ): Promise<SegmentHeader> {
    const block = encodeSegmentHeader(header);
    const written = { ...header, headerCrc: block.readUInt32LE(8) };
    const file = fileSystem.open(path, 'create');
    try {
      writeFully(file, Buffer.concat([block, block]), 0);
      const summary = await writeFrames(file, written, source, drop);
      assert(
        summary.dataLength === header.compacted?.dataLength,
        'a policy gives the same answer whenever it is asked',
      );
      const sha256 = await fileSystem.sha256(path, summary.dataLength);
      await writeFullyAsync(file, encodeFooter({ ...summary, sha256 }), summary.dataLength);
      await file.dataSyncAsync();
      await compare(file, written, summary.dataLength, source, drop);
    } finally {
      file.close();
    }
    return written;
  },
};

async function writeFrames(
  file: File,
  header: SegmentHeader,
  source: CompactionSource,
  drop: DropRecord,
): Promise<Omit<Parameters<typeof encodeFooter>[0], 'sha256'>> {
  const seed = frameSeed(header);
  const index = new SparseIndex();
  let [offset, previousHeaderCrc] = [SEGMENT_DATA_START, header.headerCrc];
  let [recordCount, frameCount, firstWallMicros, lastWallMicros] = [0, 0, 0, 0];
  for await (const { encoder, firstSequence, source: from } of keptFrames(source, drop)) {
    const { durableSequence, wallMicros } = from;
    const place = { seed, fileOffset: offset, previousHeaderCrc, durableSequence, wallMicros };
    const { bytes, headerCrc } = encoder.finish(firstSequence, place);
    await writeFullyAsync(file, bytes, offset);
    index.offer(firstSequence, offset);
    [offset, previousHeaderCrc] = [offset + bytes.length, headerCrc];
    recordCount += encoder.recordCount;
    frameCount++;
    firstWallMicros ||= wallMicros;
    lastWallMicros = wallMicros;
  }
  return { dataLength: offset, recordCount, frameCount, firstWallMicros, lastWallMicros, index };
}

/** Frame by frame; frames of which nothing is kept become one gap, empty ones go. */
async function* keptFrames(source: CompactionSource, drop: DropRecord): AsyncGenerator<KeptFrame> {
  let gap: { first: number; last: number; source: FrameHeader; dropped: number } | undefined;
  for await (const frame of sourceFrames(source)) {
    const { header } = frame;
    if (header.sequenceSpan === 0) continue;
    const kept = keptOf(source.entry.path, frame, drop);
    if (kept.records === 0) {
      const [first, before] = [gap?.first ?? header.firstSequence, gap?.dropped ?? 0];
      const last = lastSequenceOf(header);
      gap = { first, last, source: header, dropped: before + kept.dropped };
      continue;
    }
    if (gap !== undefined) yield gapFrame(gap);
    gap = undefined;
    const firstSequence = header.firstSequence as Sequence;
    yield { encoder: kept.encoder, firstSequence, source: header, dropped: kept.dropped };
  }
  if (gap !== undefined) yield gapFrame(gap);
}

function gapFrame(gap: {
  first: number;
  last: number;
  source: FrameHeader;
  dropped: number;
}): KeptFrame {
  const encoder = new FrameEncoder(128);
  encoder.addGap(gap.last - gap.first + 1);
  return {
    encoder,
    firstSequence: gap.first as Sequence,
    source: gap.source,
    dropped: gap.dropped,
  };
}

/** What is kept of a frame. The last record that is kept of a batch ends it, whatever ended it before. */
function keptOf(
  path: string,
  { header, buffer, bodyStart }: ScannedFrame,
  drop: DropRecord,
): { encoder: FrameEncoder; records: number; dropped: number } {
  const records: { sequence: number; start: number; end: number; endsBatch: boolean }[] = [];
  let dropped = 0;
  /** The first of the records that are kept of the batch which is being looked at. */
  let batchFrom = 0;
  visit(path, header, buffer, bodyStart, (sequence, start, end, endsBatch) => {
    if (drop(sequence as Sequence, buffer, start, end)) dropped++;
    else records.push({ sequence, start, end, endsBatch });
    if (!endsBatch) return;
    const last = records.at(-1);
    if (records.length > batchFrom && last !== undefined)
      records[records.length - 1] = { ...last, endsBatch: true };
    batchFrom = records.length;
  });
  const encoder = new FrameEncoder(Math.max(128, header.bodyLength + 64));
  let next = header.firstSequence;
  for (const { sequence, start, end, endsBatch } of records) {
    if (sequence > next) encoder.addGap(sequence - next, false);
    encoder.addRecord(buffer.subarray(start, end), endsBatch);
    next = sequence + 1;
  }
  const after = header.firstSequence + header.sequenceSpan;
  if (after > next) encoder.addGap(after - next);
  return { encoder, records: records.length, dropped };
}

/** What was written says the same as what it was made of, without what was dropped. Read again from the file. */
async function compare(
  file: File,
  header: SegmentHeader,
  dataLength: number,
  source: CompactionSource,
  drop: DropRecord,
): Promise<void> {
  const own = new RecordDigest();
  const bytes = framesOf(file, header, dataLength);
  let lastSequence = header.firstSequence - 1;
  for await (const frame of bytes) {
    visit(file.path, frame.header, frame.buffer, frame.bodyStart, (sequence, start, end) =>
      own.add(sequence, frame.buffer, start, end),
    );
    lastSequence = lastSequenceOf(frame.header);
  }
  const wanted = new RecordDigest();
  const { entry } = source;
  for await (const frame of sourceFrames(source))
    visit(entry.path, frame.header, frame.buffer, frame.bodyStart, (sequence, start, end) => {
      if (!drop(sequence as Sequence, frame.buffer, start, end))
        wanted.add(sequence, frame.buffer, start, end);
    });
  const same = own.crc === wanted.crc && own.count === wanted.count;
  if (same && lastSequence === header.compacted?.original.lastSequence) return;
  throw corrupt('what was compacted is not what is read back', {
    file: file.path,
    offset: 0,
    firstSequence: header.firstSequence,
  });
}

class RecordDigest {
  crc = 0;
  count = 0;
  private readonly place = Buffer.alloc(8);

  add(sequence: number, buffer: Buffer, start: number, end: number): void {
    this.place.writeDoubleLE(sequence);
    this.crc = crc32(buffer.subarray(start, end), crc32(this.place, this.crc));
    this.count++;
  }
}

/** Every frame of the source. */
async function* sourceFrames({
  entry,
  dataLength,
  open,
}: CompactionSource): AsyncGenerator<ScannedFrame> {
  const file = open();
  try {
    yield* framesOf(file, entry.header, dataLength);
  } finally {
    file.close();
  }
}

/** Every frame of a segment; one that is not valid is an error. */
async function* framesOf(
  file: File,
  header: SegmentHeader,
  dataLength: number,
): AsyncGenerator<ScannedFrame> {
  const scanner = new FrameScanner(file, header, { limit: dataLength, reuse: true });
  let [yielded, sequence] = [0, header.firstSequence];
  for (const frame of scanner) {
    yield frame;
    sequence = lastSequenceOf(frame.header) + 1;
    if (frameEnd(frame.header) - yielded < YIELD_BYTES) continue;
    yielded = frameEnd(frame.header);
    await setImmediate();
  }
  if (scanner.offset === dataLength) return;
  throw scanner.damage(sequence);
}

function visit(
  path: string,
  header: FrameHeader,
  buffer: Buffer,
  bodyStart: number,
  visitor: (sequence: number, start: number, end: number, endsBatch: boolean) => void,
): void {
  const result = visitRecords(header, buffer, bodyStart, visitor);
  if (result === 'unsupported')
    throw unsupported(path, 'a record type that this version does not know');
  if (result === 'complete') return;
  throw corrupt('the records of a frame do not add up', {
    file: path,
    offset: header.fileOffset,
    firstSequence: header.firstSequence,
  });
}

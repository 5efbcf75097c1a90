import { errorMessage } from '@holdfast/kernel';
import { DamagedFile } from '../../disk/damaged-file.js';
import type { ReadableFile } from '../../disk/file-system.js';
import { lastSequenceOf } from '../../format/frame-decoder.js';
import type { SegmentHeader } from '../../format/segment-header.js';
import { FRAME_ALIGNMENT, SEGMENT_DATA_START, ZERO_CHUNK_BYTES } from '../../format/wal-format.js';
import { FrameScanner, type ScannedFrame } from '../../segment/frame-scanner.js';
import { readFooter } from '../../segment/segment-footer.js';
import { lookBeyond, nextFrameOffset } from '../../segment/tail-scan.js';
import { isOfNoUse } from '../../wal.errors.js';
import type { SalvageLoss } from './salvage-candidate.js';
import type { SourceSegment } from './salvage-segments.js';

/** Records that verify and are no part of the history that was brought over. */
export interface SalvageLeftOut {
  readonly file: string;
  readonly firstSequence: number;
  readonly lastSequence: number;
  /** False: written by a writer that had been taken over, which told nobody. */
  readonly mayBeAcknowledged: boolean;
}

export type SalvagePiece =
  | { readonly kind: 'frame'; readonly frame: ScannedFrame }
  | { readonly kind: 'loss'; readonly loss: SalvageLoss }
  | { readonly kind: 'left out'; readonly records: SalvageLeftOut };

/**
 * Every valid frame of a segment up to where its data ends; where there is none, looks for the next one at every place where a frame can stand. What verifies
 * behind the end, or has a sequence of a later segment, is left out.
 */
export function* piecesOf(segment: SourceSegment): Generator<SalvagePiece> {
  const { path, header, lastSequenceMax, isForked } = segment;
  let file: DamagedFile | undefined;
  let at = SEGMENT_DATA_START;
  try {
    file = new DamagedFile(segment.open());
    const size = file.size();
    const end = isForked ? SEGMENT_DATA_START : Math.min(size, segment.dataEnd ?? size);
    const isEndKnown = segment.dataEnd !== undefined;
    for (const found of framesIn(file, header, { from: at, end, isEndKnown })) {
      at = found.at;
      if ('reason' in found) yield lossOf(path, found);
      else if (lastSequenceOf(found.frame.header) > lastSequenceMax)
        yield* leftOut(segment, found.frame);
      else yield { kind: 'frame', frame: found.frame };
    }
    if (segment.dataEnd !== undefined && size < segment.dataEnd) {
      const reason = 'the file ends before its data';
      yield lossOf(path, { at: size, to: segment.dataEnd, reason });
    }
    if (segment.isNewest) yield* lostBehind(segment, file, at);
    at = end;
    for (const found of framesIn(file, header, { from: end, end: size, isEndKnown: false }))
      if ('frame' in found) yield* leftOut(segment, found.frame);
  } catch (error) {
    if (!isOfNoUse(error)) throw error;
    yield lossOf(path, { at, to: segment.size, reason: errorMessage(error) });
  } finally {
    file?.close();
  }
  for (const hole of file?.holes() ?? []) yield lossOf(path, hole);
}

/** What must have been behind the last segment that is known: only one that a successor has sealed is archived or compacted, or has a footer behind its data. */
function* lostBehind(
  { path, header, archived, name }: SourceSegment,
  file: ReadableFile,
  dataEnd: number,
): Generator<SalvagePiece> {
  const size = file.size();
  const isSealed = (archived ?? header.compacted ?? readFooter(file, dataEnd)) !== undefined;
  const isCut = size < Math.min(header.segmentBytes, ZERO_CHUNK_BYTES);
  const successor = name.segment + 1;
  if (isSealed) {
    const reason = `segment ${successor} is missing: the end of segment ${name.segment} was sealed for it`;
    yield lossOf(path, { at: size, to: size, reason });
  } else if (isCut) {
    const reason = 'the segment is shorter than it was when it got its name';
    yield lossOf(path, { at: size, to: size, reason });
  }
}

/**
 * A writer looks for its claim after it has written and before it tells anybody, and its successor reads the segment after the claim has gone: in `sync` mode nothing behind the
 * sealed length was acknowledged. In the other modes a frame behind a torn one may have been, within the loss that these modes allow.
 */
function* leftOut(segment: SourceSegment, { header }: ScannedFrame): Generator<SalvagePiece> {
  if (header.sequenceSpan === 0) return;
  const mayBeAcknowledged = !segment.isSealed || segment.header.durability !== 'sync';
  const [firstSequence, lastSequence] = [header.firstSequence, lastSequenceOf(header)];
  const records = { file: segment.path, firstSequence, lastSequence, mayBeAcknowledged };
  yield { kind: 'left out', records };
}

interface Stretch {
  readonly at: number;
  readonly to: number;
  readonly reason: string;
}

function lossOf(file: string, { at, to, reason }: Stretch): SalvagePiece {
  return { kind: 'loss', loss: { file, from: at, to, reason } };
}

/** Frames from `from` to `end`, and the stretches between them: behind the last one only those that hold something else than zeros, or that are data because the end is known. */
function* framesIn(
  file: ReadableFile,
  header: SegmentHeader,
  { from, end, isEndKnown }: { from: number; end: number; isEndKnown: boolean },
): Generator<{ readonly at: number; readonly frame: ScannedFrame } | Stretch> {
  for (let at = from; at < end;) {
    const scanner = new FrameScanner(file, header, { from: at, limit: end, reuse: false });
    for (const frame of scanner) yield { at: scanner.offset, frame };
    if (scanner.offset >= end) return;
    // The footer of a segment whose successor is lost: the data ends here.
    if (!isEndKnown && readFooter(file, scanner.offset) !== undefined) return;
    const reason = scanner.stopReason;
    const next = nextFrameOffset(file, header, scanner.offset + FRAME_ALIGNMENT, end);
    const written = isEndKnown ? end : lookBeyond(file, header, scanner.offset, end).nonZeroEnd;
    const to = next ?? written;
    if (to !== undefined) yield { at: scanner.offset, to, reason };
    if (next === undefined) return;
    at = next;
  }
}

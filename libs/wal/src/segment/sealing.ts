import { setImmediate } from 'node:timers/promises';
import { withFile } from '../disk/file-reading.js';
import { type File, type FileSystem, writeFully } from '../disk/file-system.js';
import { lastSequenceOf } from '../format/frame-decoder.js';
import type { PredecessorSeal, SegmentHeader } from '../format/segment-header.js';
import { SparseIndex } from '../format/sparse-index.js';
import { FrameScanner } from './frame-scanner.js';
import type { SealedSegment } from './segment-file.js';
import { encodeFooter, readFooter, type SegmentSummary } from './segment-footer.js';

/**
 * Gives a sealed segment its footer and cuts off what lies behind it. In the background, because nothing depends on it: the successor's
 * header has fixed where the data ends. The footer is written behind the data before the file is cut behind the footer, so a crash at
 * any point leaves the data whole; a footer that is half there fails its checksum and is made again.
 */
export async function finishSegment(
  fileSystem: FileSystem,
  path: string,
  summary: SegmentSummary,
  /** Throws when the log at this path is not ours to write to any more. */
  assertHeld: () => void,
): Promise<void> {
  const sha256 = await fileSystem.sha256(path, summary.dataLength);
  const footer = encodeFooter({ ...summary, sha256 });
  const file = fileSystem.open(path, 'write');
  try {
    // After it is open: a file of this name in a copy that has taken the directory's place may hold more, and is not cut.
    assertHeld();
    writeFully(file, footer, summary.dataLength);
    file.truncate(summary.dataLength + footer.length);
    // Crash before this sync has ended: no footer, half of one, or the file uncut; the data in front of it is none of these writes' business.
    await file.dataSyncAsync();
  } finally {
    file.close();
  }
}

/** Whether the footer stands and nothing lies behind it. */
export function isFinished(fileSystem: FileSystem, path: string, dataLength: number): boolean {
  return withFile(fileSystem, path, (file) => {
    const footer = readFooter(file, dataLength);
    return footer !== undefined && file.size() === dataLength + encodeFooter(footer).length;
  });
}

const YIELD_BYTES = 4 * 1024 * 1024;

/** Walks a sealed segment for what its writer would have known. Undefined when it is damaged: then it gets no footer. */
export async function summarize(
  fileSystem: FileSystem,
  path: string,
  segment: SegmentHeader,
  dataLength: number,
): Promise<SegmentSummary | undefined> {
  const file = fileSystem.open(path, 'read');
  return (await summarizeWithEnd(file, segment, dataLength))?.summary;
}

/** As `summarize`, also with what a successor would say of it. Closes the file. */
export async function summarizeWithEnd(
  file: File,
  segment: SegmentHeader,
  dataLength: number,
): Promise<{ summary: SegmentSummary; seal: PredecessorSeal } | undefined> {
  try {
    const scanner = new FrameScanner(file, segment, { limit: dataLength, reuse: true });
    const index = new SparseIndex();
    let [recordCount, frameCount, firstWallMicros, lastWallMicros, yielded] = [0, 0, 0, 0, 0];
    let [lastHeaderCrc, lastFrameOffset] = [segment.headerCrc, 0];
    let lastSequence = segment.firstSequence - 1;
    for (const frame of scanner) {
      const { header } = frame;
      index.offer(header.firstSequence, header.fileOffset);
      recordCount += header.recordCount;
      frameCount++;
      firstWallMicros ||= header.wallMicros;
      lastWallMicros = header.wallMicros;
      [lastHeaderCrc, lastFrameOffset] = [header.headerCrc, header.fileOffset];
      lastSequence = lastSequenceOf(header);
      if (scanner.offset - yielded > YIELD_BYTES) {
        yielded = scanner.offset;
        await setImmediate();
      }
    }
    if (scanner.offset !== dataLength) return undefined;
    return {
      summary: { dataLength, recordCount, frameCount, firstWallMicros, lastWallMicros, index },
      seal: { dataLength, lastSequence, lastHeaderCrc, lastFrameOffset, generation: 0 },
    };
  } finally {
    file.close();
  }
}

/**
 * Finishes what the last open left unfinished, newest first, until one is found that is finished: they are finished in order. Told to stop
 * when the log closes.
 */
export async function finishLeftovers(
  fileSystem: FileSystem,
  pathOf: (segment: SealedSegment) => string,
  sealed: readonly SealedSegment[],
  isStopped: () => boolean,
  assertHeld: () => void,
): Promise<void> {
  for (const segment of [...sealed].reverse()) {
    const path = pathOf(segment);
    const { dataLength } = segment.seal;
    if (isStopped() || isFinished(fileSystem, path, dataLength)) return;
    const summary = await summarize(fileSystem, path, segment.header, dataLength);
    if (summary !== undefined && !isStopped())
      await finishSegment(fileSystem, path, summary, assertHeld);
  }
}

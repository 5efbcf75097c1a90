import { setImmediate } from 'node:timers/promises';
import { errorMessage } from '@holdfast/kernel';
import type { FileSystem } from './file-system.js';
import { visitRecords } from './frame-decoder.js';
import { FrameScanner } from './frame-scanner.js';
import type { VisibleBound } from './log-cursor.js';
import type { CatalogEntry } from './segment-catalog.js';
import { readFooter } from './segment-footer.js';
import { openToRead } from './segment-file.js';

export interface VerifyReport {
  readonly segments: number;
  readonly frames: number;
  readonly records: number;
  readonly bytes: number;
  readonly firstSequence: number;
  readonly lastSequence: number;
  /** Empty when every byte is as it was written. */
  readonly problems: readonly VerifyProblem[];
}

export interface VerifyProblem {
  readonly file: string;
  readonly offset: number;
  readonly firstSequence: number;
  readonly reason: string;
}

export interface VerifyProgress {
  readonly bytesDone: number;
  readonly bytesTotal: number;
}

const YIELD_BYTES = 4 * 1024 * 1024;

/**
 * Reads every visible byte: header and body checksums, the chain of frames and segments, sequences, records, and the digests of finished
 * segments. Goes on behind a damaged segment with the next one, so that the report is complete.
 */
export async function verifySegments(
  fileSystem: FileSystem,
  entries: readonly CatalogEntry[],
  bound: VisibleBound,
  onProgress?: (progress: VerifyProgress) => void,
): Promise<VerifyReport> {
  const visible = entries.filter((entry) => entry.name.segment <= bound.segment);
  const lengthOf = (entry: CatalogEntry): number =>
    entry.dataLength ?? (entry.name.segment === bound.segment ? bound.offset : 0);
  const bytesTotal = visible.reduce((sum, entry) => sum + lengthOf(entry), 0);
  const problems: VerifyProblem[] = [];
  const totals = { frames: 0, records: 0, bytes: 0 };
  for (const entry of visible) {
    const length = lengthOf(entry);
    const done = totals.bytes;
    const found = await verifySegment(fileSystem, entry, length, (offset) =>
      onProgress?.({ bytesDone: done + offset, bytesTotal }),
    );
    totals.frames += found.frames;
    totals.records += found.records;
    totals.bytes += length;
    problems.push(...found.problems);
    onProgress?.({ bytesDone: totals.bytes, bytesTotal });
  }
  return {
    segments: visible.length,
    ...totals,
    firstSequence: visible[0]?.name.firstSequence ?? 1,
    lastSequence: bound.sequence,
    problems,
  };
}

async function verifySegment(
  fileSystem: FileSystem,
  entry: CatalogEntry,
  length: number,
  onOffset: (offset: number) => void,
): Promise<{ frames: number; records: number; problems: VerifyProblem[] }> {
  const problems: VerifyProblem[] = [];
  const note = (offset: number, firstSequence: number, reason: string): void => {
    problems.push({ file: entry.path, offset, firstSequence, reason });
  };
  let [frames, records, yielded, sequence] = [0, 0, 0, entry.name.firstSequence];
  let file;
  try {
    file = openToRead(fileSystem, entry.path);
    const scanner = new FrameScanner(file, entry.header, { limit: length, reuse: true });
    for (let frame = scanner.next(); frame !== undefined; frame = scanner.next()) {
      const result = visitRecords(frame.header, frame.buffer, frame.bodyStart, () => undefined);
      if (result !== 'complete')
        note(frame.header.fileOffset, sequence, `the records of a frame are ${result}`);
      frames++;
      records += frame.header.recordCount;
      sequence += frame.header.sequenceSpan;
      if (scanner.offset - yielded > YIELD_BYTES) {
        yielded = scanner.offset;
        onOffset(scanner.offset);
        await setImmediate();
      }
    }
    if (scanner.offset !== length && length > 0) note(scanner.offset, sequence, scanner.stopReason);
    const footer = entry.dataLength === undefined ? undefined : readFooter(file, length);
    if (footer !== undefined) {
      const digest = await fileSystem.sha256(entry.path, length);
      if (Buffer.compare(digest, footer.sha256) !== 0)
        note(length, sequence, 'the SHA-256 in the footer differs');
      if (footer.recordCount !== records)
        note(length, sequence, 'the record count in the footer differs');
    }
  } catch (error) {
    note(0, sequence, errorMessage(error));
  } finally {
    file?.close();
  }
  return { frames, records, problems };
}

import { setImmediate } from 'node:timers/promises';
import { errorCode, errorMessage } from '@holdfast/kernel';
import type { FileSystem } from '../disk/file-system.js';
import { visitRecords } from '../format/frame-decoder.js';
import { sameSeal, type SegmentHeader } from '../format/segment-header.js';
import { FrameScanner } from '../segment/frame-scanner.js';
import { readFooter } from '../segment/segment-footer.js';
import type { VisibleBound } from './log-cursor.js';
import { isDamage } from '../wal.errors.js';
import { type CatalogEntry, SegmentCatalog } from './segment-catalog.js';

export interface VerifyReport {
  readonly segments: number;
  /** What was read and is as it was written: frames, records and bytes of data. */
  readonly frames: number;
  readonly records: number;
  readonly bytes: number;
  readonly firstSequence: number;
  /** How far it has read. */
  readonly lastSequence: number;
  /** Empty when every byte that was read is as it was written. */
  readonly problems: readonly VerifyProblem[];
  /** What could not be verified, each a sentence. Empty when that is nothing: only then, and without problems, is the log known to be whole. */
  readonly unverified: readonly string[];
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

/** What a log must consist of, from other witnesses than the files themselves. */
export interface LogExtent {
  readonly directory: string;
  readonly firstSegment: number;
  readonly firstSequence: number;
  readonly lastSegment: number;
}

export interface VerifyOptions {
  /** When it is known, a missing segment is a problem; the writer, which holds the log open, need not ask. */
  readonly extent?: LogExtent;
  /** Where files are opened, so that a segment which retention removes meanwhile is passed over. */
  readonly catalog?: SegmentCatalog;
  readonly onProgress?: (progress: VerifyProgress) => void;
  /** Told what hinders the reading of a segment and is no damage, as a want of descriptors is; without it the report says so (`unverified`). */
  readonly onHindrance?: (path: string, error: unknown) => void;
  /** Ends the reading at its next slice; the report is then of what was read, and says so. */
  readonly signal?: AbortSignal | undefined;
}

const YIELD_BYTES = 4 * 1024 * 1024;

/**
 * Reads every visible byte: header and body checksums, the chain of frames and segments, sequences, records, and the digests of finished
 * segments. Goes on behind a damaged or missing segment with the next one, so that the report is complete.
 */
export async function verifySegments(
  fileSystem: FileSystem,
  entries: readonly CatalogEntry[],
  bound: VisibleBound,
  { extent, catalog, onProgress, onHindrance, signal }: VerifyOptions = {},
): Promise<VerifyReport> {
  const lastSegment = Math.max(bound.segment, extent?.lastSegment ?? 0);
  const visible = entries.filter((entry) => entry.name.segment <= lastSegment);
  const lengthOf = (entry: CatalogEntry): number | undefined =>
    entry.dataLength ?? (entry.name.segment === bound.segment ? bound.offset : undefined);
  const bytesTotal = visible.reduce((sum, entry) => sum + (lengthOf(entry) ?? 0), 0);
  const problems: VerifyProblem[] = [];
  const unverified: string[] = [];
  let bytesDone = 0;
  const files = catalog ?? new SegmentCatalog(fileSystem);
  const totals = { frames: 0, records: 0, bytes: 0 };
  let [segment, sequence] = [
    extent?.firstSegment,
    extent?.firstSequence ?? visible[0]?.name.firstSequence ?? 1,
  ];
  const noteMissing = (before: number): void => {
    if (extent === undefined || segment === undefined || segment >= before) return;
    problems.push(missingSegments(extent.directory, segment, before - 1, sequence));
  };
  for (const [at, entry] of visible.entries()) {
    if (signal?.aborted === true) break;
    noteMissing(entry.name.segment);
    const done = bytesDone;
    const next = entries[at + 1]?.header;
    const successor = next?.segment === entry.name.segment + 1 ? next : undefined;
    const length = lengthOf(entry);
    const onOffset = (offset: number): void =>
      onProgress?.({ bytesDone: done + offset, bytesTotal });
    const onHindered = (path: string, error: unknown): void => {
      if (onHindrance !== undefined) onHindrance(path, error);
      else unverified.push(notRead(path, error));
    };
    const reading = { successor, signal, onOffset, onHindered };
    const found = await verifySegment(files, entry, length, reading);
    bytesDone += length ?? 0;
    if (found === 'removed') {
      segment = entry.name.segment + 1;
      unverified.push(`Segment ${entry.name.segment} left the log before it was read.`);
      continue;
    }
    totals.frames += found.frames;
    totals.records += found.records;
    totals.bytes += found.bytes;
    problems.push(...found.problems);
    [segment, sequence] = [entry.name.segment + 1, found.nextSequence];
    onProgress?.({ bytesDone, bytesTotal });
  }
  if (signal?.aborted === true)
    unverified.push(`It was cancelled: nothing behind sequence ${sequence - 1} was read.`);
  else noteMissing(lastSegment + 1);
  return {
    segments: visible.length,
    ...totals,
    firstSequence: visible[0]?.name.firstSequence ?? 1,
    lastSequence: sequence - 1,
    problems,
    unverified,
  };
}

/** For a report: whether the file is whole is not known. */
export function notRead(path: string, error: unknown): string {
  return `${path} could not be read to its end, which says nothing of what it holds: ${errorMessage(error)}`;
}

function missingSegments(
  directory: string,
  first: number,
  last: number,
  firstSequence: number,
): VerifyProblem {
  const reason =
    first === last ? `segment ${first} is missing` : `segments ${first} to ${last} are missing`;
  return { file: directory, offset: 0, firstSequence, reason };
}

interface VerifiedSegment {
  readonly frames: number;
  readonly records: number;
  readonly bytes: number;
  readonly nextSequence: number;
  readonly problems: readonly VerifyProblem[];
}

interface SegmentReading {
  /** Its header names the segment's last frame. */
  readonly successor: SegmentHeader | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onOffset: (offset: number) => void;
  readonly onHindered: (path: string, error: unknown) => void;
}

async function verifySegment(
  catalog: SegmentCatalog,
  asked: CatalogEntry,
  /** Undefined where a missing successor would have told it: then the segment is read as far as it is valid. */
  knownLength: number | undefined,
  { successor, signal, onOffset, onHindered }: SegmentReading,
): Promise<VerifiedSegment | 'removed'> {
  const problems: VerifyProblem[] = [];
  let path = asked.path;
  const note = (offset: number, firstSequence: number, reason: string): void => {
    problems.push({ file: path, offset, firstSequence, reason });
  };
  let [frames, records, bytes, yielded, sequence] = [0, 0, 0, 0, asked.name.firstSequence];
  let last: { readonly headerCrc: number; readonly fileOffset: number } | undefined;
  let file;
  try {
    const opened = catalog.open(asked);
    const { entry } = opened;
    file = opened.file;
    path = entry.path;
    const length = entry.dataLength ?? knownLength;
    const scanner = new FrameScanner(file, entry.header, {
      limit: length ?? file.size(),
      reuse: true,
    });
    for (const frame of scanner) {
      const result = visitRecords(frame.header, frame.buffer, frame.bodyStart, () => undefined);
      if (result !== 'complete')
        note(frame.header.fileOffset, sequence, `the records of a frame are ${result}`);
      frames++;
      records += frame.header.recordCount;
      last = frame.header;
      sequence += frame.header.sequenceSpan;
      if (scanner.offset - yielded > YIELD_BYTES) {
        yielded = scanner.offset;
        onOffset(scanner.offset);
        await setImmediate();
        if (signal?.aborted === true)
          return { frames, records, bytes: scanner.offset, nextSequence: sequence, problems };
      }
    }
    bytes = scanner.offset;
    if (length !== undefined && length > 0 && scanner.offset !== length)
      note(scanner.offset, sequence, scanner.stopReason);
    else if (successor !== undefined && !endsAsNamed(entry.header, last, sequence - 1, successor))
      note(
        scanner.offset,
        sequence,
        'the segment does not end with the frame that its successor names',
      );
    const footer =
      length === undefined || entry.dataLength === undefined ? undefined : readFooter(file, length);
    if (length !== undefined && footer !== undefined) {
      const digest = await digestOf(catalog, entry, length);
      if (digest !== undefined && Buffer.compare(digest, footer.sha256) !== 0)
        note(length, sequence, 'the SHA-256 in the footer differs');
      if (footer.recordCount !== records)
        note(length, sequence, 'the record count in the footer differs');
    }
  } catch (error) {
    if (errorCode(error) === 'WAL_SEQUENCE_GONE') return 'removed';
    // Whoever cancels may end the worker and close the files under it: that says nothing of the segment.
    if (signal?.aborted !== true) {
      if (isDamage(error)) note(0, sequence, errorMessage(error));
      else onHindered(path, error);
    }
  } finally {
    file?.close();
  }
  return { frames, records, bytes, nextSequence: sequence, problems };
}

/** The chain across the border: a segment of another history may have the same place and length, but not the same last frame. */
function endsAsNamed(
  header: SegmentHeader,
  last: { readonly headerCrc: number; readonly fileOffset: number } | undefined,
  lastSequence: number,
  { predecessor }: SegmentHeader,
): boolean {
  if (lastSequence !== predecessor.lastSequence) return false;
  const { compacted } = header;
  // Its frames were written anew: it says itself of what, and where it ends.
  if (compacted !== undefined)
    return (
      sameSeal(compacted.original, predecessor) && last?.fileOffset === compacted.lastFrameOffset
    );
  return (
    (last?.headerCrc ?? header.headerCrc) === predecessor.lastHeaderCrc &&
    (last?.fileOffset ?? 0) === predecessor.lastFrameOffset
  );
}

/** Undefined when the file was removed while it was read: all its frames have verified. */
async function digestOf(
  catalog: SegmentCatalog,
  entry: CatalogEntry,
  bytes: number,
): Promise<Uint8Array | undefined> {
  try {
    return await catalog.sha256(entry, bytes);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

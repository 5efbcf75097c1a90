import { dirname, resolve } from 'node:path';
import {
  assert,
  type Clock,
  defined,
  errorCode,
  LOST_AND_FOUND,
  systemClock,
} from '@holdfast/kernel';
import { writeManifest } from '../../directory/manifest.js';
import { copyInto } from '../../disk/file-copy.js';
import { withFile } from '../../disk/file-reading.js';
import { type File, type FileSystem, orDiscard, writeFullyAsync } from '../../disk/file-system.js';
import { assertPlaceForLog, type PlaceOptions } from '../../disk/network-file-systems.js';
import { NodeFileSystem } from '../../disk/node-file-system.js';
import { batchesUpTo, type BodyPart } from '../../format/frame-cut.js';
import { frameEnd, type FrameHeader, lastSequenceOf } from '../../format/frame-decoder.js';
import { FrameEncoder } from '../../format/frame-encoder.js';
import { encodeSegmentHeader, frameSeed, type SegmentHeader } from '../../format/segment-header.js';
import { segmentPath } from '../../format/segment-name.js';
import {
  FRAME_HEADER_BYTES,
  SEGMENT_DATA_START,
  ZERO_CHUNK_BYTES,
} from '../../format/wal-format.js';
import type { CatalogEntry } from '../../read/segment-catalog.js';
import type { ArchivedSegment } from '../../segment/archive-store.js';
import { FrameScanner } from '../../segment/frame-scanner.js';
import { scanTail } from '../../segment/tail-scan.js';
import { throwIfCancelled, WalError } from '../../wal.errors.js';
import type { Sequence, WorkOptions } from '../../wal.types.js';
import { writeArchivedContent } from '../archive/segment-restoring.js';
import { BackupContent } from './backup-content.js';
import { lastWrittenBy } from './restore-time.js';
import { type RestoredEnd, sealRestored } from './restored-end.js';

export interface RestoreOptions extends WorkOptions, PlaceOptions {
  /** Cut at the last batch that ends at or below this sequence. */
  readonly upTo?: Sequence;
  /** Cut behind the last frame with records that was written at or before this time, in milliseconds since 1970. Together with `upTo`, the lower of the two. */
  readonly atMillis?: number;
  readonly fileSystem?: FileSystem;
  readonly clock?: Clock;
}

export interface RestoreReport {
  readonly logId: string;
  readonly firstSequence: Sequence;
  /** Where the restored log ends: the last batch boundary at or below what was asked for. */
  readonly lastSequence: Sequence;
  /** Of the segment that holds the last sequence, empty when the log holds none; the next open begins another one. */
  readonly timeline: string;
  readonly segments: number;
  readonly bytes: number;
}

/**
 * Restores a backup into an empty directory. The log keeps its id, and has no floors and no claims. Behind the restored records stands an empty segment
 * with its own timeline: a reader that has followed the old log beyond the cut finds a divergence and never mixes the two. The header of that segment
 * promises every restored frame, and WATERMARK promises the segment. So damage of the restored log is refused by the next open and found by `verify`, as
 * in any other log.
 *
 * MANIFEST and WATERMARK are written first, and segments from the newest to the oldest. After a crash at any point the directory is refused with
 * `WAL_MISSING_SEGMENT`, because the first segment is missing, until the last step makes the log whole. After a failure that segment is missing too.
 *
 * @throws `WAL_RESTORE_REFUSED`: the target is not an empty directory, or the backup does not hold what was asked for.
 * @throws `WAL_UNSUPPORTED_FILE_SYSTEM`: of the target; nothing was copied.
 * @throws `WAL_BACKUP_DAMAGED`, `WAL_MISSING_SEGMENT`, `WAL_CORRUPT`, `WAL_READ_FAILED`, `WAL_UNSUPPORTED_FORMAT`: of the backup.
 * @throws `WAL_CANCELLED`, and the errors of the disk.
 */
export async function restoreLog(
  backup: string,
  target: string,
  options: RestoreOptions = {},
): Promise<RestoreReport> {
  const fileSystem = options.fileSystem ?? new NodeFileSystem();
  let content: BackupContent | undefined;
  try {
    content = BackupContent.open(fileSystem, backup, options);
    // Before anything is read or made: what could not be opened there need not be copied.
    assertPlaceForLog(fileSystem, target, options);
    const cut = await findCut(content, options);
    const directory = resolve(target);
    prepareTarget(fileSystem, directory);
    return await writeLog(content, cut, directory, options);
  } finally {
    content?.close();
    if (options.fileSystem === undefined) await fileSystem.close();
  }
}

/** Whole batches of a frame. */
interface FramePart extends BodyPart {
  readonly header: FrameHeader;
  readonly body: Buffer;
}

/** The last segment of the restored log, and where in it to end. */
interface Cut {
  readonly entry: CatalogEntry;
  /** Whole frames are kept up to here. */
  readonly offset: number;
  /** Behind them: the beginning of a frame, to be encoded anew. */
  readonly frame: FramePart | undefined;
  readonly lastSequence: number;
}

async function findCut(content: BackupContent, options: RestoreOptions): Promise<Cut> {
  const { manifest, entries } = content;
  const { firstSequence, lastSequence } = manifest;
  const upTo = Math.min(options.upTo ?? lastSequence, lastSequence);
  const { atMillis = Infinity } = options;
  const outOfRange =
    upTo < firstSequence - 1 ||
    Number.isNaN(atMillis) ||
    (options.upTo !== undefined && options.upTo > lastSequence);
  if (outOfRange) {
    throw new WalError(
      'WAL_RESTORE_REFUSED',
      `the backup holds sequences ${firstSequence} to ${lastSequence}, not ${options.upTo ?? options.atMillis}`,
      { firstSequence, lastSequence },
    );
  }
  const writtenBy = await lastWrittenBy(content, atMillis * 1000, options.signal);
  if (writtenBy === undefined && atMillis < Infinity && lastSequence >= firstSequence)
    throw new WalError(
      'WAL_RESTORE_REFUSED',
      `nothing was written by ${timeText(atMillis)}: the first record of the backup is later, and the log would be empty`,
      { firstSequence, lastSequence },
    );
  const last = Math.min(upTo, writtenBy ?? firstSequence - 1);
  for (const [at, entry] of entries.entries()) {
    const next = entries[at + 1];
    if (next === undefined || next.name.firstSequence > last)
      return cutWithin(content, entry, last);
  }
  throw new WalError('WAL_BACKUP_DAMAGED', 'the backup holds no segment', {});
}

function timeText(millis: number): string {
  const time = new Date(millis);
  return Number.isNaN(time.getTime()) ? String(millis) : time.toISOString();
}

function cutWithin(content: BackupContent, entry: CatalogEntry, upTo: number): Cut {
  const { header, dataLength = 0 } = entry;
  const { file } = content.catalog.open(entry);
  try {
    const scanner = new FrameScanner(file, header, { limit: dataLength, reuse: true });
    let [offset, lastSequence] = [SEGMENT_DATA_START, header.firstSequence - 1];
    for (const frame of scanner) {
      const last = lastSequenceOf(frame.header);
      if (last > upTo) {
        const { buffer, bodyStart } = frame;
        const part = batchesUpTo(frame.header, buffer, bodyStart, upTo);
        if (part.bytes === 0) return { entry, offset, frame: undefined, lastSequence };
        const body = Buffer.from(buffer.subarray(bodyStart, bodyStart + part.bytes));
        lastSequence = frame.header.firstSequence + part.sequenceSpan - 1;
        return { entry, offset, frame: { ...part, header: frame.header, body }, lastSequence };
      }
      [offset, lastSequence] = [frameEnd(frame.header), last];
    }
    if (scanner.offset === dataLength) return { entry, offset, frame: undefined, lastSequence };
    throw scanner.damage(lastSequence + 1);
  } finally {
    file.close();
  }
}

/** The frame as its writer would have written it with these batches only. */
function encodeFrame(part: FramePart, segment: SegmentHeader, previousHeaderCrc: number): Buffer {
  const { header, body, recordCount, sequenceSpan } = part;
  const encoder = new FrameEncoder(64 * 1024);
  encoder.addBody(body, recordCount, sequenceSpan);
  const { fileOffset, durableSequence, wallMicros } = header;
  const { bytes } = encoder.finish(header.firstSequence as Sequence, {
    ...{ seed: frameSeed(segment), fileOffset, previousHeaderCrc, durableSequence, wallMicros },
  });
  return Buffer.from(bytes);
}

function prepareTarget(fileSystem: FileSystem, directory: string): void {
  if (!fileSystem.exists(directory)) {
    try {
      fileSystem.makeDirectory(directory);
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
      throw refused(directory, 'the directory that it would be made in does not exist');
    }
  } else if (fileSystem.list(directory).some((name) => name !== LOST_AND_FOUND)) {
    throw refused(directory, 'the directory is not empty');
  }
  fileSystem.syncDirectory(dirname(directory));
}

async function writeLog(
  content: BackupContent,
  cut: Cut,
  directory: string,
  options: RestoreOptions,
): Promise<RestoreReport> {
  const { fileSystem, entries, manifest } = content;
  const { logId } = manifest;
  const kept = entries.slice(0, entries.indexOf(cut.entry) + 1);
  const first = defined(kept[0], 'a segment');
  const { segment: firstSegment, firstSequence } = first.name;
  const generations = new Map(
    kept
      .slice(0, -1)
      .flatMap(({ name }) =>
        name.generation === 0 ? [] : [[name.segment, name.generation] as const],
      ),
  );
  const { timelineBefore } = manifest;
  const placesBefore = new Map(
    timelineBefore === undefined ? [] : [[firstSequence - 1, timelineBefore] as const],
  );
  const beginning = { firstSegment, firstSequence, placesBefore };
  writeManifest(fileSystem, directory, { logId, ...beginning, generations });
  const bytesTotal = kept.reduce((sum, { dataLength = 0 }) => sum + dataLength, 0);
  const holder = kept.findLast(({ name }) => name.firstSequence <= cut.lastSequence);
  let bytesDone = 0;
  let path = '';
  try {
    for (const entry of [...kept].reverse()) {
      throwIfCancelled(options.signal);
      const generation = entry === cut.entry ? 0 : entry.name.generation;
      const target = segmentPath(directory, { ...entry.name, generation });
      const temporary = `${target}.tmp`;
      path = target;
      await orDiscard(fileSystem, temporary, async () => {
        if (entry === cut.entry) {
          const end = await writeCut(content, cut, temporary);
          await sealRestored(fileSystem, directory, end, options.clock ?? systemClock);
        } else await writeArchivedContent(fileSystem, content.store, archivedOf(entry), temporary);
        // The first segment makes the log whole: all others have their names for good before it gets its own. A start would refuse a beginning alone for its footer too, so no test fails without this order.
        if (entry === first) fileSystem.syncDirectory(directory);
        await fileSystem.publish(temporary, target);
      });
      bytesDone += entry.dataLength ?? 0;
      options.onProgress?.({ bytesDone, bytesTotal });
    }
    fileSystem.syncDirectory(directory);
  } catch (error) {
    // It may have been the name of the first segment that could not be made durable: what has failed must not open.
    if (fileSystem.exists(path)) fileSystem.unlink(path);
    throw error;
  }
  return {
    logId,
    firstSequence: firstSequence as Sequence,
    lastSequence: cut.lastSequence as Sequence,
    timeline: holder?.header.timeline ?? '',
    segments: kept.length,
    bytes: bytesTotal,
  };
}

/** The last segment of what is restored: no footer, and zeros behind its data, as a writer leaves it. */
async function writeCut(content: BackupContent, cut: Cut, temporary: string): Promise<RestoredEnd> {
  const { fileSystem } = content;
  const file = fileSystem.open(temporary, 'create');
  let source: File | undefined;
  let header = cut.entry.header;
  try {
    source = content.catalog.open(cut.entry).file;
    if (header.compacted === undefined) {
      await copyInto(file, source, cut.offset);
      if (cut.frame !== undefined) {
        const frame = encodeFrame(cut.frame, header, cut.frame.header.previousHeaderCrc);
        await writeFullyAsync(file, frame, cut.offset);
      }
    } else header = await writeAsUncompacted(file, source, cut);
    const end = cut.offset + (cut.frame === undefined ? 0 : FRAME_HEADER_BYTES + cut.frame.bytes);
    const size = Math.max(end, Math.min(header.segmentBytes, ZERO_CHUNK_BYTES));
    if (size > end) await writeFullyAsync(file, Buffer.alloc(size - end), end);
    await file.dataSyncAsync();
  } finally {
    source?.close();
    file.close();
  }
  const scan = withFile(fileSystem, temporary, (written) => scanTail(written, header));
  const isRight = scan.lastSequence === cut.lastSequence && scan.nonZeroEnd === undefined;
  assert(isRight, 'a restored segment ends with the batch at which it was cut');
  const { validEnd: dataLength, lastSequence, lastHeaderCrc, lastFrameOffset } = scan;
  return {
    header,
    seal: { dataLength, lastSequence, lastHeaderCrc, lastFrameOffset, generation: 0 },
  };
}

/**
 * Only a segment with a successor is a compacted one. Here it is the last: the same frames at the same places, under a header that says nothing of its past, to which the first
 * of them chains.
 */
async function writeAsUncompacted(file: File, source: File, cut: Cut): Promise<SegmentHeader> {
  const { compacted, ...plain } = cut.entry.header;
  assert(compacted !== undefined, 'the segment was compacted');
  const block = encodeSegmentHeader(plain);
  const header = { ...plain, headerCrc: block.readUInt32LE(8) };
  await writeFullyAsync(file, Buffer.concat([block, block]), 0);
  const scanner = new FrameScanner(source, cut.entry.header, { limit: cut.offset, reuse: true });
  let previous = header.headerCrc;
  const write = async (part: FramePart): Promise<void> => {
    const bytes = encodeFrame(part, header, previous);
    previous = bytes.readUInt32LE(4);
    await writeFullyAsync(file, bytes, part.header.fileOffset);
  };
  for (const frame of scanner) {
    const { recordCount, sequenceSpan, bodyLength: bytes } = frame.header;
    const body = frame.buffer.subarray(frame.bodyStart, frame.bodyStart + bytes);
    await write({ header: frame.header, body, bytes, recordCount, sequenceSpan });
  }
  if (cut.frame !== undefined) await write(cut.frame);
  return header;
}

function archivedOf(entry: CatalogEntry): ArchivedSegment {
  return defined(entry.archived, 'a segment of a backup');
}

function refused(directory: string, reason: string): WalError {
  return new WalError('WAL_RESTORE_REFUSED', `${directory}: ${reason}; nothing was changed`, {
    directory,
    reason,
  });
}

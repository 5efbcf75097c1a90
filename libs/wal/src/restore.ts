import { dirname, resolve } from 'node:path';
import { assert, defined, errorCode } from '@holdfast/kernel';
import type { ArchivedSegment } from './archive-store.js';
import { throwIfCancelled } from './archive-writer.js';
import type { WorkOptions } from './archiving.js';
import { BackupContent } from './backup-content.js';
import { type FileSystem, writeFullyAsync } from './file-system.js';
import { batchesUpTo } from './frame-cut.js';
import { frameEnd, lastSequenceOf } from './frame-decoder.js';
import { FrameEncoder } from './frame-encoder.js';
import { FrameScanner, type ScannedFrame } from './frame-scanner.js';
import { writeManifest } from './manifest.js';
import { NodeFileSystem } from './node-file-system.js';
import { segmentPath } from './recovery.js';
import type { CatalogEntry } from './segment-catalog.js';
import { withFile } from './segment-file.js';
import { frameSeed } from './segment-header.js';
import { copyInto, writeArchivedContent } from './segment-restoring.js';
import { scanTail } from './tail-scan.js';
import { corrupt, WalError } from './wal.errors.js';
import type { Sequence } from './wal.types.js';
import { SEGMENT_DATA_START, ZERO_CHUNK_BYTES } from './wal-format.js';

export interface RestoreOptions extends WorkOptions {
  /** Cut at the last batch that ends at or below this sequence. */
  readonly upTo?: Sequence;
  /** Cut before the first frame that was written after this time, in milliseconds since 1970. Together with `upTo`, the lower of the two. */
  readonly atMillis?: number;
  readonly fileSystem?: FileSystem;
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
 * Makes a log of a backup in an empty directory. The log keeps its id; it has no WATERMARK, no floors and no claims; and since each open begins a new timeline, whoever has followed the
 * old log beyond the cut finds a divergence and never mixes the two.
 *
 * MANIFEST is written first, and segments from the newest to the oldest: crash anywhere, and the directory is refused with `WAL_MISSING_SEGMENT` because the log's first
 * segment is not there, until the last step makes it whole. Throws `WAL_RESTORE_REFUSED`, `WAL_BACKUP_DAMAGED`, `WAL_CORRUPT`, `WAL_CANCELLED`.
 */
export async function restoreLog(
  backup: string,
  target: string,
  options: RestoreOptions = {},
): Promise<RestoreReport> {
  const fileSystem = options.fileSystem ?? new NodeFileSystem();
  let content: BackupContent | undefined;
  try {
    content = BackupContent.open(fileSystem, backup);
    const cut = findCut(content, options);
    const directory = resolve(target);
    prepareTarget(fileSystem, directory);
    return await writeLog(content, cut, directory, options);
  } finally {
    content?.close();
    if (options.fileSystem === undefined) await fileSystem.close();
  }
}

/** The last segment of the restored log, and where in it to end. */
interface Cut {
  readonly entry: CatalogEntry;
  /** Whole frames are kept up to here. */
  readonly offset: number;
  /** Behind them: the beginning of a frame, encoded anew. */
  readonly frame: Buffer | undefined;
  readonly lastSequence: number;
}

function findCut(content: BackupContent, options: RestoreOptions): Cut {
  const { manifest, entries, segments } = content;
  const { firstSequence, lastSequence } = manifest;
  const upTo = Math.min(options.upTo ?? lastSequence, lastSequence);
  const upToMicros = (options.atMillis ?? Infinity) * 1000;
  const outOfRange =
    upTo < firstSequence - 1 ||
    Number.isNaN(upToMicros) ||
    (options.upTo !== undefined && options.upTo > lastSequence);
  if (outOfRange) {
    throw new WalError(
      'WAL_RESTORE_REFUSED',
      `the backup holds sequences ${firstSequence} to ${lastSequence}, not ${options.upTo ?? options.atMillis}`,
      { firstSequence, lastSequence },
    );
  }
  for (const [at, entry] of entries.entries()) {
    const next = entries[at + 1];
    const archived = defined(segments[at], 'an archived segment');
    const isWhole =
      next !== undefined &&
      next.name.firstSequence <= upTo &&
      Math.max(archived.firstWallMicros, archived.lastWallMicros) <= upToMicros;
    if (isWhole) continue;
    const cut = cutWithin(content, entry, upTo, upToMicros);
    // It kept all of it, and there is more below the limit: a clock that went back.
    if (cut.offset === entry.dataLength && next !== undefined && cut.lastSequence < upTo) continue;
    return cut;
  }
  throw new WalError('WAL_BACKUP_DAMAGED', 'the backup holds no segment', {});
}

function cutWithin(
  content: BackupContent,
  entry: CatalogEntry,
  upTo: number,
  upToMicros: number,
): Cut {
  const { header, dataLength = 0, path } = entry;
  const { file } = content.catalog.open(entry);
  try {
    const scanner = new FrameScanner(file, header, { limit: dataLength, reuse: true });
    let [offset, lastSequence] = [SEGMENT_DATA_START, header.firstSequence - 1];
    for (let frame = scanner.next(); frame !== undefined; frame = scanner.next()) {
      if (frame.header.wallMicros > upToMicros)
        return { entry, offset, frame: undefined, lastSequence };
      const last = lastSequenceOf(frame.header);
      if (last > upTo) {
        const part = firstBatches(entry, frame, upTo);
        return { entry, offset, frame: part?.bytes, lastSequence: part?.last ?? lastSequence };
      }
      [offset, lastSequence] = [frameEnd(frame.header), last];
    }
    if (scanner.offset === dataLength) return { entry, offset, frame: undefined, lastSequence };
    throw corrupt(scanner.stopReason, {
      file: path,
      offset: scanner.offset,
      firstSequence: lastSequence + 1,
    });
  } finally {
    file.close();
  }
}

/** The frame as its writer would have written it with the first of its batches only; undefined when none of them ends in time. */
function firstBatches(
  entry: CatalogEntry,
  { header, buffer, bodyStart }: ScannedFrame,
  upTo: number,
): { bytes: Buffer; last: number } | undefined {
  const part = batchesUpTo(header, buffer, bodyStart, upTo);
  if (part.bytes === 0) return undefined;
  const encoder = new FrameEncoder(64 * 1024);
  const body = buffer.subarray(bodyStart, bodyStart + part.bytes);
  encoder.addBody(body, part.recordCount, part.sequenceSpan);
  const { bytes } = encoder.finish(header.firstSequence as Sequence, {
    seed: frameSeed(entry.header),
    fileOffset: header.fileOffset,
    previousHeaderCrc: header.previousHeaderCrc,
    durableSequence: header.durableSequence,
    wallMicros: header.wallMicros,
  });
  return { bytes: Buffer.from(bytes), last: header.firstSequence + part.sequenceSpan - 1 };
}

function prepareTarget(fileSystem: FileSystem, directory: string): void {
  if (!fileSystem.exists(directory)) {
    try {
      fileSystem.makeDirectory(directory);
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
      throw refused(directory, 'the directory that it would be made in does not exist');
    }
  } else if (fileSystem.list(directory).length > 0) {
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
    kept.flatMap(({ name }) =>
      name.generation === 0 ? [] : [[name.segment, name.generation] as const],
    ),
  );
  writeManifest(fileSystem, directory, { logId, firstSegment, firstSequence, generations });
  const bytesTotal = kept.reduce((sum, { dataLength = 0 }) => sum + dataLength, 0);
  const holder = kept.findLast(({ name }) => name.firstSequence <= cut.lastSequence);
  let bytesDone = 0;
  for (const entry of [...kept].reverse()) {
    throwIfCancelled(options.signal);
    const path = segmentPath(directory, entry.name);
    if (entry === cut.entry) await writeCut(content, cut, `${path}.tmp`);
    else await writeArchivedContent(fileSystem, content.store, archivedOf(entry), `${path}.tmp`);
    // The first segment makes the log whole: all others have their names for good before it gets its own.
    if (entry === first) fileSystem.syncDirectory(directory);
    await fileSystem.publish(`${path}.tmp`, path);
    bytesDone += entry.dataLength ?? 0;
    options.onProgress?.({ bytesDone, bytesTotal });
  }
  fileSystem.syncDirectory(directory);
  return {
    logId,
    firstSequence: firstSequence as Sequence,
    lastSequence: cut.lastSequence as Sequence,
    timeline: holder?.header.timeline ?? '',
    segments: kept.length,
    bytes: bytesTotal,
  };
}

/** The last segment of the log: no footer, and zeros behind its frames, as a writer leaves it. */
async function writeCut(content: BackupContent, cut: Cut, temporary: string): Promise<void> {
  const { fileSystem } = content;
  const { header } = cut.entry;
  const file = fileSystem.open(temporary, 'create');
  try {
    const { file: source } = content.catalog.open(cut.entry);
    try {
      await copyInto(file, source, cut.offset);
    } finally {
      source.close();
    }
    if (cut.frame !== undefined) await writeFullyAsync(file, cut.frame, cut.offset);
    const end = cut.offset + (cut.frame?.length ?? 0);
    const size = Math.max(end, Math.min(header.segmentBytes, ZERO_CHUNK_BYTES));
    if (size > end) await writeFullyAsync(file, Buffer.alloc(size - end), end);
    await file.dataSyncAsync();
  } finally {
    file.close();
  }
  const scan = withFile(fileSystem, temporary, (written) => scanTail(written, header));
  const isRight = scan.lastSequence === cut.lastSequence && scan.nonZeroEnd === undefined;
  assert(isRight, 'a restored segment ends with the batch at which it was cut');
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

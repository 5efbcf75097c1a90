import { resolve } from 'node:path';
import { errorCode, systemClock } from '@holdfast/kernel';
import { precedes } from './archived-part.js';
import type { ArchivedSegment, ArchiveStore } from './archive-store.js';
import { throwIfCancelled } from './archive-writer.js';
import type { WorkOptions } from './archiving.js';
import { ensureDirectory, type FileSystem } from './file-system.js';
import { type Manifest, readManifest } from './manifest.js';
import { NodeFileSystem } from './node-file-system.js';
import { segmentPath } from './recovery.js';
import { inspectSegment } from './segment-file.js';
import type { SegmentHeader } from './segment-header.js';
import { formatSegmentName, parseSegmentName, type SegmentName } from './segment-name.js';
import { writeArchivedContent } from './segment-restoring.js';
import { WalError } from './wal.errors.js';
import { WriterLock } from './writer-lock.js';

export interface ArchiveRepairOptions extends WorkOptions {
  readonly fileSystem?: FileSystem;
}

export interface RepairedSegment {
  readonly file: string;
  readonly reason: 'missing' | 'damaged';
  /** Where the damaged file is now. */
  readonly quarantine?: string;
}

export interface ArchiveRepairReport {
  /** Sealed segments that were compared with the archive. */
  readonly compared: number;
  readonly repaired: readonly RepairedSegment[];
}

const QUARANTINE = 'quarantine';

/**
 * Puts sealed segments that are missing or damaged (rows 5 and 6 of recovery) back from the archive: only where the archived one belongs to this log, its digest verifies, and the
 * live segment behind it goes on where it ends. What was damaged is set aside in `quarantine/`. An operator's explicit step, with no writer running; the next open then judges the log as always.
 *
 * Crash anywhere: a segment that is missing still or again, and the next run puts it back. Throws `WAL_NOT_FOUND`, `WAL_LOCKED`, `WAL_CORRUPT` of the archive, `WAL_FENCED`,
 * `WAL_CANCELLED`.
 */
export async function repairFromArchive(
  log: string,
  archive: ArchiveStore,
  options: ArchiveRepairOptions = {},
): Promise<ArchiveRepairReport> {
  const fileSystem = options.fileSystem ?? new NodeFileSystem();
  const directory = resolve(log);
  try {
    const manifest = fileSystem.exists(directory) ? readManifest(fileSystem, directory) : undefined;
    if (manifest === undefined || manifest.firstSegment === 0)
      throw new WalError('WAL_NOT_FOUND', `there is no log in ${directory}`, { directory });
    const lock = WriterLock.acquire(fileSystem, directory, { takeover: false, clock: systemClock });
    try {
      return await compareAll({ fileSystem, directory, manifest, archive, lock }, options);
    } finally {
      lock.release();
    }
  } finally {
    if (options.fileSystem === undefined) await fileSystem.close();
  }
}

interface Repairable {
  readonly fileSystem: FileSystem;
  readonly directory: string;
  readonly manifest: Manifest;
  readonly archive: ArchiveStore;
  readonly lock: WriterLock;
}

async function compareAll(log: Repairable, options: WorkOptions): Promise<ArchiveRepairReport> {
  const { fileSystem, directory, manifest, archive } = log;
  archive.refresh();
  const names = liveNames(fileSystem, directory, manifest);
  const newest = Math.max(0, ...names.keys());
  const candidates = archive.segments().filter(({ name, header }) => {
    const isLive = name.segment >= manifest.firstSegment && name.segment < newest;
    const counts = name.generation === (manifest.generations.get(name.segment) ?? 0);
    return isLive && counts && header.logId === manifest.logId;
  });
  const bytesTotal = candidates.reduce((sum, { dataLength }) => sum + dataLength, 0);
  const repaired: RepairedSegment[] = [];
  let bytesDone = 0;
  // From the newest on: what a segment must lead up to has been looked at before it.
  for (const segment of candidates.reverse()) {
    throwIfCancelled(options.signal);
    const name = names.get(segment.name.segment);
    const successor = headerOf(log, names.get(segment.name.segment + 1));
    const fits = successor !== undefined && precedes(segment, successor);
    const state = name === undefined ? 'missing' : await stateOf(log, name, segment);
    if (fits && state !== 'intact') {
      repaired.unshift(await putBack(log, name, segment, state));
      names.set(segment.name.segment, segment.name);
    }
    bytesDone += segment.dataLength;
    options.onProgress?.({ bytesDone, bytesTotal });
  }
  return { compared: candidates.length, repaired };
}

function liveNames(
  fileSystem: FileSystem,
  directory: string,
  manifest: Manifest,
): Map<number, SegmentName> {
  const names = fileSystem.list(directory).flatMap((file) => parseSegmentName(file) ?? []);
  const live = names.filter(({ segment, generation }) => {
    const counts = generation === (manifest.generations.get(segment) ?? 0);
    return counts && segment >= manifest.firstSegment;
  });
  return new Map(live.map((name) => [name.segment, name]));
}

/**
 * The header of a live segment, and of nothing else: the archive may hold a history that the log has left, so its own headers prove nothing. One that fits was put back before, and is live.
 */
function headerOf(
  { fileSystem, directory }: Repairable,
  name: SegmentName | undefined,
): SegmentHeader | undefined {
  return name === undefined ? undefined : inspectSegment(fileSystem, directory, name).header;
}

async function stateOf(
  { fileSystem, directory }: Repairable,
  name: SegmentName,
  archived: ArchivedSegment,
): Promise<'intact' | 'damaged'> {
  const { header, path, size } = inspectSegment(fileSystem, directory, name);
  const isWhole =
    name.firstSequence === archived.name.firstSequence &&
    header?.headerCrc === archived.header.headerCrc &&
    size >= archived.dataLength;
  if (!isWhole) return 'damaged';
  const digest = Buffer.from(await fileSystem.sha256(path, archived.dataLength));
  return digest.toString('hex') === archived.sha256 ? 'intact' : 'damaged';
}

async function putBack(
  { fileSystem, directory, archive, lock }: Repairable,
  damaged: SegmentName | undefined,
  archived: ArchivedSegment,
  reason: 'missing' | 'damaged',
): Promise<RepairedSegment> {
  const path = segmentPath(directory, archived.name);
  // With the epoch: a writer that takes over, or a repair after it, makes another one.
  const temporary = `${path}-${lock.epoch}.tmp`;
  await writeArchivedContent(fileSystem, archive, archived, temporary);
  // Who has taken over since we looked has judged the files as they were, and perhaps gone on behind them: they are its own.
  lock.assertHeld();
  const quarantine =
    damaged === undefined ? undefined : await setAside(fileSystem, directory, damaged);
  lock.assertHeld();
  // Crash before this: the segment is missing, and a temporary file with its content goes with the next open or run.
  await fileSystem.publish(temporary, path);
  fileSystem.syncDirectory(directory);
  return { file: path, reason, ...(quarantine !== undefined && { quarantine }) };
}

async function setAside(
  fileSystem: FileSystem,
  directory: string,
  name: SegmentName,
): Promise<string> {
  const quarantine = `${directory}/${QUARANTINE}`;
  ensureDirectory(fileSystem, quarantine);
  const file = formatSegmentName(name);
  for (let number = 1; ; number++) {
    const target = `${quarantine}/${file}.damaged-${number}`;
    try {
      await fileSystem.publish(`${directory}/${file}`, target);
      fileSystem.syncDirectory(quarantine);
      return target;
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
    }
  }
}

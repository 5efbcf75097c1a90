import { resolve } from 'node:path';
import { errorCode, systemClock } from '@holdfast/kernel';
import { type Manifest, readManifest } from '../../directory/manifest.js';
import { WriterLock } from '../../directory/writer-lock.js';
import { DamagedFile } from '../../disk/damaged-file.js';
import { ensureDirectory, type FileSystem, orDiscard } from '../../disk/file-system.js';
import { NodeFileSystem } from '../../disk/node-file-system.js';
import type { SegmentHeader } from '../../format/segment-header.js';
import {
  formatSegmentName,
  parseSegmentName,
  type SegmentName,
  segmentPath,
} from '../../format/segment-name.js';
import { precedes } from '../../read/archived-part.js';
import type { ArchivedSegment, ArchiveStore } from '../../segment/archive-store.js';
import { inspectSegment, type SegmentFacts } from '../../segment/segment-file.js';
import { isRotten, throwIfCancelled, WalError } from '../../wal.errors.js';
import type { WorkOptions } from '../../wal.types.js';
import { writeArchivedContent } from './segment-restoring.js';

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
  /** Of those that could not be compared, each a sentence. Only when there is none the log has, up to its newest segment, what it had when it was archived. */
  readonly unverified: readonly string[];
}

const QUARANTINE = 'quarantine';

/**
 * Restores missing or damaged sealed segments from the archive (`sealed-damaged`, `segment-missing` in recovery; also one that the disk does not give, such as with `EIO`), but only if the
 * archived one belongs to this log, its digest verifies, and the live segment behind it continues where it ends. The damaged file is set aside in `quarantine/`. An explicit step of an operator,
 * without a running writer; the next open then judges the log as always.
 *
 * A crash at any point leaves the segment missing, and the next run restores it.
 *
 * @throws `WAL_NOT_FOUND`, `WAL_MANIFEST_DAMAGED`, `WAL_LOCKED`: there is no log to repair, or a writer has it.
 * @throws `WAL_ARCHIVE_NOT_FOUND`, `WAL_ARCHIVE_MISMATCH`, `WAL_CORRUPT`, `WAL_READ_FAILED`, `WAL_UNSUPPORTED_FORMAT`: of the archive, or of a file that
 * something other than damage, such as a lack of descriptors, keeps from it.
 * @throws `WAL_FENCED`, `WAL_CANCELLED`, and the errors of the disk.
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
  const candidates = new Map(
    archive.segments().flatMap((archived) => {
      const { segment, generation } = archived.name;
      const counts = generation === (manifest.generations.get(segment) ?? 0);
      return counts && archived.header.logId === manifest.logId ? [[segment, archived]] : [];
    }),
  );
  const bytesOf = (segment: number): number => candidates.get(segment)?.dataLength ?? 0;
  let [compared, bytesDone, bytesTotal] = [0, 0, 0];
  for (let segment = manifest.firstSegment; segment < newest; segment++)
    bytesTotal += bytesOf(segment);
  const repaired: RepairedSegment[] = [];
  const unverified: string[] = [];
  // From the newest on: what a segment must lead up to has been looked at before it.
  for (let segment = newest - 1; segment >= manifest.firstSegment; segment--) {
    throwIfCancelled(options.signal);
    const judged = await judge(log, names, segment, candidates.get(segment));
    if (typeof judged === 'string') unverified.unshift(`Segment ${segment} ${judged}.`);
    else compared++;
    if (typeof judged === 'object') repaired.unshift(judged);
    bytesDone += bytesOf(segment);
    options.onProgress?.({ bytesDone, bytesTotal });
  }
  return { compared, repaired, unverified };
}

/** What was put back, nothing where the segment is whole, or why it could not be compared. */
async function judge(
  log: Repairable,
  names: Map<number, SegmentName>,
  segment: number,
  archived: ArchivedSegment | undefined,
): Promise<RepairedSegment | string | undefined> {
  const name = names.get(segment);
  if (archived === undefined)
    return name === undefined ? 'is missing, and not in the archive' : 'is not in the archive';
  const state = name === undefined ? 'missing' : await stateOf(log, name, archived);
  if (state === 'intact') return undefined;
  const found = state === 'missing' ? 'is missing' : 'is not what the archive has';
  const successor = headerOf(log, names.get(segment + 1));
  if (successor === undefined)
    return `${found}, and the one behind it, which says where it ends, is missing or damaged`;
  if (!precedes(archived, successor)) return `${found}: the archived one is of another history`;
  const put = await putBack(log, name, archived, state);
  names.set(segment, archived.name);
  return put;
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
  return name === undefined ? undefined : factsOf(fileSystem, directory, name)?.header;
}

/** Of a live file, as far as the disk gives it: one copy of the header is enough. */
function factsOf(
  fileSystem: FileSystem,
  directory: string,
  name: SegmentName,
): SegmentFacts | undefined {
  try {
    return inspectSegment(fileSystem, directory, name, (file) => new DamagedFile(file));
  } catch (error) {
    if (isRotten(error)) return undefined;
    throw error;
  }
}

/** What the disk does not give is damaged. A want of descriptors says nothing of the file, and ends the repair. */
async function stateOf(
  { fileSystem, directory }: Repairable,
  name: SegmentName,
  archived: ArchivedSegment,
): Promise<'intact' | 'damaged'> {
  const facts = factsOf(fileSystem, directory, name);
  const isWhole =
    name.firstSequence === archived.name.firstSequence &&
    facts?.header?.headerCrc === archived.header.headerCrc &&
    facts.size >= archived.dataLength;
  if (!isWhole) return 'damaged';
  try {
    const digest = Buffer.from(await fileSystem.sha256(facts.path, archived.dataLength));
    return digest.toString('hex') === archived.sha256 ? 'intact' : 'damaged';
  } catch (error) {
    if (isRotten(error)) return 'damaged';
    throw error;
  }
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
  const quarantine = await orDiscard(fileSystem, temporary, async () => {
    await writeArchivedContent(fileSystem, archive, archived, temporary);
    // Who has taken over since we looked has judged the files as they were, and perhaps gone on behind them: they are its own.
    lock.assertHeld();
    const aside =
      damaged === undefined ? undefined : await setAside(fileSystem, directory, damaged);
    lock.assertHeld();
    // Crash before this: the segment is missing, and a temporary file with its content goes with the next open or run.
    await fileSystem.publish(temporary, path);
    return aside;
  });
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

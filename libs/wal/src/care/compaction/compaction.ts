import { setImmediate } from 'node:timers/promises';
import { errorCode } from '@holdfast/kernel';
import { readManifest } from '../../directory/manifest.js';
import type { ManifestKeeper } from '../../directory/manifest-keeper.js';
import { removeSuperseded } from '../../directory/superseded-segments.js';
import type { WriterLock } from '../../directory/writer-lock.js';
import type { DiskSpace } from '../../disk/disk-space.js';
import { withFile } from '../../disk/file-reading.js';
import { discard, type FileSystem, orDiscard, removeIfThere } from '../../disk/file-system.js';
import type { SegmentHeader } from '../../format/segment-header.js';
import { formatSegmentName, parseSegmentName } from '../../format/segment-name.js';
import {
  type CatalogEntry,
  sealedEntries,
  type SegmentCatalog,
} from '../../read/segment-catalog.js';
import { readFooter } from '../../segment/segment-footer.js';
import { corrupt, throwIfCancelled } from '../../wal.errors.js';
import type { Sequence, WorkOptions } from '../../wal.types.js';
import { CompactedFile } from './compacted-file.js';

/** What may go is the caller's to know. The same record must get the same answer whenever it is asked about. */
export interface CompactionPolicy {
  /** Only whole segments below this sequence are rewritten. */
  readonly below: Sequence;
  /** Whether this record may go: its payload is `buffer.subarray(start, end)` and dies with the call. */
  readonly drop: (sequence: Sequence, buffer: Buffer, start: number, end: number) => boolean;
  /** A segment is rewritten when its data shrinks by at least this fraction; default 0.1. */
  readonly savedFractionMin?: number;
}

export interface CompactionReport {
  /** Looked at, and those of them that were rewritten. */
  readonly segments: number;
  readonly rewritten: number;
  readonly droppedRecords: number;
  /** What the files of all segments that were looked at took on the disk, before and after. */
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

export const SAVED_FRACTION_DEFAULT = 0.1;

export interface CompactionParts {
  readonly fileSystem: FileSystem;
  readonly directory: string;
  readonly manifest: ManifestKeeper;
  readonly lock: WriterLock;
  readonly catalog: SegmentCatalog;
  readonly space: DiskSpace;
  readonly randomU32: () => number;
}

/**
 * Rewrites sealed segments without the records that the policy lets go, one after the other, each into a new generation: temporary file, sync, compare with the original, final
 * name, directory sync, MANIFEST, and then the old file goes. Every other record keeps its sequence: gaps stand for what went.
 *
 * Crash before MANIFEST names the new generation: the old one counts, and the next open removes the new one. After it: the new one counts, and the next open removes the old
 * one. Asked for again, it finds in each segment that was rewritten nothing more to drop. Throws `WAL_CORRUPT` when a segment is not what was written, `WAL_FENCED` after a takeover, and `ENOSPC` when the new one
 * would touch what a full disk keeps for what makes room: it is not rewritten then, and what was begun of it is gone.
 */
export async function compactSegments(
  parts: CompactionParts,
  /** Finished, those that are sealed. */
  entries: readonly CatalogEntry[],
  policy: CompactionPolicy,
  options: WorkOptions,
): Promise<CompactionReport> {
  await orFenced(parts.lock, () => removeSuperseded(parts));
  const asked = sealedEntries(entries).filter(
    ({ successor }) => successor.firstSequence <= policy.below,
  );
  const bytesTotal = asked.reduce((sum, { entry }) => sum + (entry.dataLength ?? 0), 0);
  const report = { segments: 0, rewritten: 0, droppedRecords: 0, bytesBefore: 0, bytesAfter: 0 };
  let bytesDone = 0;
  for (const { entry, successor } of asked) {
    throwIfCancelled(options.signal);
    const { before, done } = await orFenced(parts.lock, async () => ({
      before: sizeOf(parts.fileSystem, entry.path),
      done: await compactSegment(parts, entry, successor, policy),
    }));
    report.segments++;
    report.bytesBefore += before;
    report.bytesAfter += done?.bytes ?? before;
    if (done !== undefined) {
      report.rewritten++;
      report.droppedRecords += done.dropped;
    }
    bytesDone += entry.dataLength ?? 0;
    options.onProgress?.({ bytesDone, bytesTotal });
    await setImmediate();
  }
  return report;
}

/** A successor removes the temporary file, and may remove what is read: then it is the reason, and not what the disk says of that. */
async function orFenced<Result>(lock: WriterLock, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    lock.assertHeld();
    throw error;
  }
}

/** Undefined when it is not worth it. */
async function compactSegment(
  parts: CompactionParts,
  entry: CatalogEntry,
  successor: SegmentHeader,
  policy: CompactionPolicy,
): Promise<{ bytes: number; dropped: number } | undefined> {
  const { fileSystem, directory, manifest, lock, catalog } = parts;
  const dataLength = entry.dataLength ?? 0;
  const source = { entry, dataLength, open: () => catalog.open(entry).file };
  const planned = await CompactedFile.measure(source, policy.drop);
  const saved = (dataLength - planned.dataLength) / dataLength;
  if (planned.dropped === 0 || saved < (policy.savedFractionMin ?? SAVED_FRACTION_DEFAULT))
    return undefined;
  const originalSha256 = await checkedDigest(parts, entry, dataLength);
  const generation = nextGeneration(fileSystem, directory, entry);
  const name = { ...entry.name, generation };
  const temporary = `${directory}/compact-${lock.epoch}-${entry.name.segment}.tmp`;
  const path = `${directory}/${formatSegmentName(name)}`;
  // Behind its data stands a footer like the one of the file that it replaces.
  const bytes = planned.dataLength + sizeOf(fileSystem, entry.path) - dataLength;
  const refusal = parts.space.refusalOf(bytes);
  if (refusal !== undefined) throw refusal;
  removeIfThere(fileSystem, temporary);
  const header = await orDiscard(fileSystem, temporary, async () => {
    const written = await parts.space.writing(temporary, bytes, () =>
      CompactedFile.write(fileSystem, temporary, source, policy.drop, {
        ...entry.header,
        salt: parts.randomU32(),
        compacted: {
          generation,
          dataLength: planned.dataLength,
          lastFrameOffset: planned.lastFrameOffset,
          original: entry.header.compacted?.original ?? { ...successor.predecessor, generation: 0 },
          originalSha256,
        },
      }),
    );
    // Its content is durable and compared. Crash before MANIFEST names it: a generation too many, which the next open removes.
    lock.assertHeld();
    try {
      await fileSystem.publish(temporary, path);
    } catch (error) {
      // The final name may be there all the same: it is linked before the temporary one goes.
      removeUnnamed(parts, entry, generation, path);
      throw error;
    }
    return written;
  });
  const compacted = { name, path, header, dataLength: planned.dataLength, index: undefined };
  const follow = (): void =>
    catalog.replaceAll(
      catalog.all().map((known) => (known.name.segment === entry.name.segment ? compacted : known)),
    );
  const generations = new Map(manifest.current.generations).set(entry.name.segment, generation);
  try {
    fileSystem.syncDirectory(directory);
    manifest.replace({ ...manifest.current, generations }, follow);
  } catch (error) {
    removeUnnamed(parts, entry, generation, path);
    throw error;
  }
  // After a takeover these files are our successor's to remove. Crash before the unlink: a generation too few, which the next open removes.
  lock.assertHeld();
  removeIfThere(fileSystem, entry.path);
  fileSystem.syncDirectory(directory);
  return { bytes: sizeOf(fileSystem, path), dropped: planned.dropped };
}

/**
 * A generation that came to nothing: each further attempt would leave one more. It goes only where MANIFEST, as it stands, does not name it: then no MANIFEST that a crash could bring back does. After a
 * failed sync of its renaming it does, and the file stays. Crash before or after the unlink: the old generation counts. What cannot be done here is left to the next open.
 */
function removeUnnamed(
  { fileSystem, directory, lock }: CompactionParts,
  { name }: CatalogEntry,
  generation: number,
  path: string,
): void {
  try {
    // After a takeover it is our successor's to remove.
    lock.assertHeld();
    const counting = readManifest(fileSystem, directory)?.generations.get(name.segment) ?? 0;
    if (counting !== generation) discard(fileSystem, path);
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
  }
}

/** Of the data as it was first written. What is to be rewritten must be what was sealed, to the last byte. */
async function checkedDigest(
  { catalog, fileSystem }: CompactionParts,
  entry: CatalogEntry,
  dataLength: number,
): Promise<string> {
  const footer = withFile(fileSystem, entry.path, (file) => readFooter(file, dataLength));
  const digest = Buffer.from(await catalog.sha256(entry, dataLength));
  if (footer !== undefined && digest.equals(footer.sha256))
    return entry.header.compacted?.originalSha256 ?? digest.toString('hex');
  throw corrupt(
    footer === undefined ? 'the segment has no footer' : 'the SHA-256 in the footer differs',
    { file: entry.path, offset: dataLength, firstSequence: entry.name.firstSequence },
  );
}

/** Above every file of this segment: one that a failed attempt has left may be named by a MANIFEST that was not durable when we asked. */
function nextGeneration(fileSystem: FileSystem, directory: string, entry: CatalogEntry): number {
  const names = fileSystem.list(directory).flatMap((file) => parseSegmentName(file) ?? []);
  const own = names.filter(({ segment }) => segment === entry.name.segment);
  return 1 + Math.max(entry.name.generation, ...own.map(({ generation }) => generation));
}

function sizeOf(fileSystem: FileSystem, path: string): number {
  return withFile(fileSystem, path, (file) => file.size());
}

import type { SegmentHeader } from '../../format/segment-header.js';
import { archivedByNumber, isArchived } from '../../read/archived-part.js';
import {
  type CatalogEntry,
  sealedEntries,
  type SegmentCatalog,
} from '../../read/segment-catalog.js';
import type { ArchiveStore, ArchiveWriter, SegmentSource } from '../../segment/archive-store.js';
import { throwIfCancelled } from '../../wal.errors.js';
import type { Sequence, WorkOptions } from '../../wal.types.js';

export interface ArchiveReport {
  /** Put there now. */
  readonly segments: number;
  /** Of their data, as it was. */
  readonly bytes: number;
  /** What they take in the archive. */
  readonly storedBytes: number;
  /** Everything up to here is in the archive, read back and compared. */
  readonly archivedSequence: Sequence;
}

/**
 * Copies sealed segments to the archive, oldest first, and moves the floor behind each when it is durable there and was read back. Crash anywhere: the log is
 * as it was; a file that is in the archive already is compared once more, and then the floor moves. Throws `WAL_ARCHIVE_CONFLICT`, `WAL_CORRUPT`,
 * `WAL_CANCELLED`, and what the disks say.
 */
export async function archiveSegments(
  /** Finished, those that are sealed. */
  entries: readonly CatalogEntry[],
  catalog: SegmentCatalog,
  archive: ArchiveStore,
  /** Where the floor stands: what is below it and in the archive was compared already. */
  archived: Sequence,
  setFloor: (sequence: Sequence) => void,
  writer: ArchiveWriter,
  options: WorkOptions,
): Promise<ArchiveReport> {
  archive.refresh();
  const present = archivedByNumber(archive);
  const sealed = sealedEntries(entries);
  const missing = sealed.filter(
    ({ entry, successor }) =>
      successor.predecessor.lastSequence > archived ||
      !isArchived(present, entry.name.segment, successor),
  );
  const bytesTotal = missing.reduce((sum, { entry }) => sum + (entry.dataLength ?? 0), 0);
  let [bytesDone, segments, bytes, storedBytes] = [0, 0, 0, 0];
  let archivedSequence = archived;
  for (const { entry, successor } of missing) {
    throwIfCancelled(options.signal);
    const wasThere = isArchived(present, entry.name.segment, successor);
    const before = bytesDone;
    const stored = await archive.put(sourceOf(catalog, entry, successor), {
      writer,
      ...(options.signal !== undefined && { signal: options.signal }),
      onBytes: (count) => {
        bytesDone += count;
        options.onProgress?.({ bytesDone: Math.min(bytesDone, bytesTotal), bytesTotal });
      },
    });
    bytesDone = before + stored.dataLength;
    options.onProgress?.({ bytesDone, bytesTotal });
    if (!wasThere) {
      segments++;
      bytes += stored.dataLength;
      storedBytes += stored.storedBytes;
    }
    const last = successor.predecessor.lastSequence as Sequence;
    if (last > archivedSequence) {
      archivedSequence = last;
      setFloor(last);
    }
  }
  return { segments, bytes, storedBytes, archivedSequence };
}

/** The pin that an archive is: the sequence before the first live segment that it does not hold. */
export function archivePin(
  archive: ArchiveStore,
  entries: readonly CatalogEntry[],
  floor: Sequence,
): Sequence {
  const present = archivedByNumber(archive);
  const lacking = sealedEntries(entries).find(
    ({ entry, successor }) => !isArchived(present, entry.name.segment, successor),
  );
  if (lacking === undefined) return floor;
  return Math.min(floor, Math.max(0, lacking.entry.name.firstSequence - 1)) as Sequence;
}

export function sourceOf(
  catalog: SegmentCatalog,
  entry: CatalogEntry,
  successor: SegmentHeader,
): SegmentSource {
  const { name, path, header, dataLength = 0 } = entry;
  const seal = successor.predecessor;
  return { name, path, header, seal, dataLength, open: () => catalog.open(entry).file };
}

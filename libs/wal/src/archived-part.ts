import { type ArchivedSegment, type ArchiveStore, sameSeal } from './archive-store.js';
import type { CatalogEntry } from './segment-catalog.js';
import type { SegmentHeader } from './segment-header.js';
import { WalError } from './wal.errors.js';

/**
 * The segments before the first live one that an archive holds without a hole, oldest first. Each must end as its successor's header says: the chain
 * goes on across the border. Throws `WAL_ARCHIVE_MISMATCH`.
 */
export function archivedBefore(
  archive: ArchiveStore | undefined,
  firstLive: SegmentHeader | undefined,
): CatalogEntry[] {
  if (archive === undefined || firstLive === undefined) return [];
  const segments = archivedByNumber(archive);
  const entries: CatalogEntry[] = [];
  let successor = firstLive;
  for (;;) {
    const archived = segments.get(successor.segment - 1);
    if (archived === undefined) break;
    if (!precedes(archived, successor)) throw mismatch(archived, successor);
    entries.unshift(entryOf(archived));
    successor = archived.header;
  }
  return entries;
}

/** By number: what an archive holds, as of its last refresh. */
export function archivedByNumber(archive: ArchiveStore): ReadonlyMap<number, ArchivedSegment> {
  return new Map(archive.segments().map((segment) => [segment.name.segment, segment]));
}

/** Whether the data of this live segment is there. */
export function isArchived(
  archived: ReadonlyMap<number, ArchivedSegment>,
  segment: number,
  successor: SegmentHeader,
): boolean {
  const found = archived.get(segment);
  return found !== undefined && precedes(found, successor);
}

/** Whether a segment goes on where this archived one ends. */
export function precedes({ header, seal }: ArchivedSegment, successor: SegmentHeader): boolean {
  return header.logId === successor.logId && sameSeal(seal, successor.predecessor);
}

function entryOf(archived: ArchivedSegment): CatalogEntry {
  const { name, path, header, dataLength } = archived;
  return { name, path, header, dataLength, index: undefined, archived };
}

function mismatch({ path, header }: ArchivedSegment, successor: SegmentHeader): WalError {
  const reason =
    header.logId === successor.logId
      ? `does not end where segment ${successor.segment} of the log goes on`
      : 'belongs to another log';
  return new WalError('WAL_ARCHIVE_MISMATCH', `${path} ${reason}; nothing was changed`, {
    file: path,
    segment: successor.segment,
  });
}

import { sameSeal, type SegmentHeader } from '../format/segment-header.js';
import type { ArchivedSegment, ArchiveStore } from '../segment/archive-store.js';
import { missingSegment, WalError } from '../wal.errors.js';
import type { CatalogEntry } from './segment-catalog.js';

/**
 * The segments before the first live one that an archive holds, oldest first. Each must end as its successor's header says: the chain
 * goes on across the border. One that the archive must hold and does not is damage, and no beginning: `archivedUpTo` is what the floor says was archived, of an archive that is not bound yet.
 * Throws `WAL_ARCHIVE_MISMATCH`, `WAL_MISSING_SEGMENT`.
 */
export function archivedBefore(
  archive: ArchiveStore | undefined,
  firstLive: SegmentHeader | undefined,
  archivedUpTo = 0,
): CatalogEntry[] {
  if (archive === undefined) return [];
  const { owner } = archive;
  if (owner !== undefined && owner.logId !== firstLive?.logId) throw foreign(archive);
  if (firstLive === undefined) return [];
  const segments = archivedByNumber(archive);
  const entries: CatalogEntry[] = [];
  let successor = firstLive;
  for (;;) {
    const archived = segments.get(successor.segment - 1);
    if (archived === undefined) break;
    if (archived.header.logId !== successor.logId) throw foreign(archive);
    if (!precedes(archived, successor)) throw mismatch(archived, successor);
    entries.unshift(entryOf(archived));
    successor = archived.header;
  }
  const { segment, firstSequence } = successor;
  // A salvaged log counts its segments from 1 wherever it begins: what is archived below that it does not go on from.
  const below = segment === 1 ? archive.segments()[0] : undefined;
  if (below !== undefined && below.name.firstSequence < firstSequence)
    throw mismatch(below, successor);
  const lowest = Math.min(owner?.firstSegment ?? segment, ...segments.keys());
  // What the floor says was archived here has left the log, and this archive does not even hold the segment behind it.
  const isElsewhere =
    entries.length === 0 &&
    segment > 1 &&
    archivedUpTo >= firstSequence - 1 &&
    archivedUpTo > 0 &&
    !segments.has(segment);
  if (lowest < segment || isElsewhere)
    throw missingSegment(placeOf(archive), {
      segment: segment - 1,
      lastSequence: firstSequence - 1,
    });
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

function mismatch({ path }: ArchivedSegment, { segment }: SegmentHeader): WalError {
  return new WalError(
    'WAL_ARCHIVE_MISMATCH',
    `${path} does not end where segment ${segment} of the log continues; nothing was changed`,
    { file: path, segment },
  );
}

function placeOf({ directory = 'the archive' }: ArchiveStore): string {
  return directory;
}

function foreign(archive: ArchiveStore): WalError {
  const directory = placeOf(archive);
  return new WalError(
    'WAL_ARCHIVE_MISMATCH',
    `the archive ${directory} belongs to another log; nothing was changed`,
    { file: directory },
  );
}

/** Live entries behind what the archive holds before them. */
export function withArchived(
  archive: ArchiveStore | undefined,
  live: readonly CatalogEntry[],
): CatalogEntry[] {
  return [...archivedBefore(archive, live[0]?.header), ...live];
}

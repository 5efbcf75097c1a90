import { setImmediate } from 'node:timers/promises';
import type { Manifest } from '../../directory/manifest.js';
import type { ManifestKeeper } from '../../directory/manifest-keeper.js';
import { removeSuperseded, unlinked } from '../../directory/superseded-segments.js';
import type { WriterLock } from '../../directory/writer-lock.js';
import { withFile } from '../../disk/file-reading.js';
import type { FileSystem } from '../../disk/file-system.js';
import type { CatalogEntry, SegmentCatalog } from '../../read/segment-catalog.js';
import type { Sequence } from '../../wal.types.js';

/** A segment that would go, or has gone. */
export interface RemovedSegment {
  readonly file: string;
  readonly segment: number;
  readonly firstSequence: Sequence;
  /** The one before the first when it holds no records. */
  readonly lastSequence: Sequence;
  /** Of its file. */
  readonly bytes: number;
}

/** A floor or a pin that keeps segments which could go otherwise. */
export interface RemovalPin {
  readonly name: string;
  readonly sequence: Sequence;
  /** What this one alone would keep. */
  readonly segments: number;
  readonly bytes: number;
}

export interface RemovalPlan {
  /** Oldest first: whole sealed segments of which every sequence is below what was asked for and below every floor. */
  readonly segments: readonly RemovedSegment[];
  readonly bytes: number;
  /** Where the log, without its archive, would begin. */
  readonly firstSequence: Sequence;
  /** What keeps segments below the asked sequence, lowest first; empty when nothing does. */
  readonly pinnedBy: readonly RemovalPin[];
}

export interface RemovalReport extends RemovalPlan {
  /** Files that could not be unlinked; the next removal, compaction or open removes them. */
  readonly left: readonly string[];
}

export interface RemovalOptions {
  /** Segments with a sequence at or above this one stay. */
  readonly below: Sequence;
}

/** What is to go, without doing it. `live` are the segments of the log's directory, oldest first. */
export function planRemoval(
  fileSystem: FileSystem,
  live: readonly CatalogEntry[],
  floors: ReadonlyMap<string, Sequence>,
  { below }: RemovalOptions,
): RemovalPlan {
  const asked = wholeSegmentsBelow(fileSystem, live, below);
  const lowest = Math.min(below, ...floors.values());
  const segments = asked.filter((segment) => segment.lastSequence < lowest);
  const pinnedBy = [...floors].flatMap(([name, sequence]) => {
    const kept = asked.filter((segment) => segment.lastSequence >= sequence);
    return kept.length === 0
      ? []
      : [{ name, sequence, segments: kept.length, bytes: bytesOf(kept) }];
  });
  const first = live[segments.length];
  return {
    segments,
    bytes: bytesOf(segments),
    firstSequence: (first?.name.firstSequence ?? 1) as Sequence,
    pinnedBy,
  };
}

/**
 * Does what was planned. The floors that allow it are durable already; then MANIFEST says where the log begins, and only then files are unlinked, oldest first.
 *
 * Crash before MANIFEST is durable: the whole log. Crash after it: a log that begins later, and perhaps files below its beginning, which the next open
 * removes. Where the sync of MANIFEST fails, the files stay until it is asked again. Which of the unlinks reached the disk does not matter.
 */
export async function removeSegments(
  parts: {
    readonly fileSystem: FileSystem;
    readonly directory: string;
    readonly manifest: ManifestKeeper;
    readonly lock: WriterLock;
    /** Of the whole log, with its archive. */
    readonly catalog: SegmentCatalog;
  },
  plan: RemovalPlan,
  /**
   * Asked before anything changes, and may throw: then nothing has. What it gives is done when MANIFEST has its name, before the first file goes: from there on no reader of this process
   * may open one of them.
   */
  prepare: (firstSegment: number) => () => void,
): Promise<RemovalReport> {
  const { fileSystem, directory, manifest, lock } = parts;
  await removeSuperseded(parts);
  const last = plan.segments.at(-1);
  if (last === undefined) return { ...plan, left: [] };
  const firstSegment = last.segment + 1;
  const generations = new Map(
    [...manifest.current.generations].filter(([segment]) => segment >= firstSegment),
  );
  const { firstSequence } = plan;
  const placesBefore = placesBeforeWith(parts.catalog, firstSequence, manifest.current);
  const onRemoved = prepare(firstSegment);
  const beginning = { firstSegment, firstSequence, placesBefore };
  manifest.replace({ ...manifest.current, ...beginning, generations }, onRemoved);
  const left: string[] = [];
  for (const { file } of plan.segments) {
    // After a takeover these files are our successor's to remove.
    lock.assertHeld();
    if (!unlinked(fileSystem, `${directory}/${file}`)) left.push(file);
    await setImmediate();
  }
  await fileSystem.syncDirectoryAsync(directory);
  return { ...plan, left };
}

/** Also that before the beginning there was: it stays the beginning of a log with an archive. */
function placesBeforeWith(
  catalog: SegmentCatalog,
  firstSequence: number,
  { placesBefore }: Manifest,
): ReadonlyMap<number, string> {
  const last = firstSequence - 1;
  const timeline = catalog.find(last)?.header.timeline ?? placesBefore.get(last);
  const kept = [...placesBefore].filter(([sequence]) => sequence + 1 === catalog.firstSequence);
  return timeline === undefined ? new Map(kept) : new Map([...kept, [last, timeline]]);
}

function wholeSegmentsBelow(
  fileSystem: FileSystem,
  live: readonly CatalogEntry[],
  below: Sequence,
): RemovedSegment[] {
  const whole: RemovedSegment[] = [];
  for (const [at, entry] of live.entries()) {
    const next = live[at + 1];
    if (entry.dataLength === undefined || next === undefined) break;
    if (next.name.firstSequence > below) break;
    whole.push({
      file: entry.path.slice(entry.path.lastIndexOf('/') + 1),
      segment: entry.name.segment,
      firstSequence: entry.name.firstSequence as Sequence,
      lastSequence: (next.name.firstSequence - 1) as Sequence,
      bytes: withFile(fileSystem, entry.path, (file) => file.size()),
    });
  }
  return whole;
}

function bytesOf(segments: readonly RemovedSegment[]): number {
  return segments.reduce((sum, segment) => sum + segment.bytes, 0);
}

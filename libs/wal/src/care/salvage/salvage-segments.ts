import { errorMessage } from '@holdfast/kernel';
import { ARCHIVE_FLOOR } from '../../directory/floors.js';
import type { Manifest } from '../../directory/manifest.js';
import type { Watermark } from '../../directory/watermark.js';
import { DamagedFile } from '../../disk/damaged-file.js';
import { openToRead } from '../../disk/file-reading.js';
import type { File, FileSystem } from '../../disk/file-system.js';
import type { SegmentHeader } from '../../format/segment-header.js';
import { parseSegmentName, type SegmentName, segmentPath } from '../../format/segment-name.js';
import { promisedBy } from '../../recovery/promised.js';
import type { ArchiveStore } from '../../segment/archive-store.js';
import { FrameScanner } from '../../segment/frame-scanner.js';
import { inspectSegment } from '../../segment/segment-file.js';
import { isOfNoUse } from '../../wal.errors.js';
import {
  type Candidate,
  dataEndOf,
  endsWell,
  isContinued,
  isIntact,
  opened,
  type SalvageLoss,
} from './salvage-candidate.js';
import { abandonedIn, isSameFile } from './salvage-forks.js';
import { readWitnesses, type Witnesses } from './salvage-witnesses.js';

export interface SourceSegment extends Candidate {
  /** As its successor's header, or its own when it was compacted or archived, says; undefined when nothing does. */
  readonly dataEnd: number | undefined;
  /** Sequences above this one belong to later segments. */
  readonly lastSequenceMax: number;
  /** The header of the segment behind it goes on from exactly this file. */
  readonly isSealed: boolean;
  /** Another file of its number is the one that counts: all its records are left out. */
  readonly isForked: boolean;
  /** Neither the name of a file nor WATERMARK tells of a later one. */
  readonly isNewest: boolean;
}

export interface SourceLog {
  readonly logId: string | undefined;
  /** Where it begins; with the first segment that counts where its MANIFEST cannot say: what retention has removed is no gap. */
  readonly firstSequence: number;
  readonly placesBefore: Manifest['placesBefore'];
  /** As an open judges it, without the frames. */
  readonly promised: number;
  /** In the order of their numbers. */
  readonly segments: readonly SourceSegment[];
  readonly losses: readonly SalvageLoss[];
}

/**
 * The segments of a damaged log, as far as there are readable headers. From the newest to the oldest: which file of a number counts is for the one behind it to say, and the
 * beginning of that one is the end of this.
 */
export function findSegments(
  fileSystem: FileSystem,
  directory: string,
  archive: ArchiveStore | undefined,
): SourceLog {
  const losses: SalvageLoss[] = [];
  const { manifest, watermark, floors } = readWitnesses(fileSystem, directory, losses);
  const names = fileSystem
    .list(directory)
    .flatMap((file) => parseSegmentName(file) ?? [])
    // What is below was removed, and is still there because a crash took the unlink back.
    .filter(({ segment }) => segment >= (manifest?.firstSegment ?? 0));
  const archived = archivedIn(archive);
  for (const { path, reason } of archive?.damaged ?? [])
    losses.push({ file: path, from: 0, to: 0, reason });
  const live = names.flatMap(
    (name) => candidateOf(fileSystem, directory, name, archived, losses) ?? [],
  );
  const all = [...live, ...archived].sort(byPreference(manifest));
  const known = live.length > 0 ? live : all;
  const newest = Math.max(...known.map(({ name }) => name.segment));
  const logId = manifest?.logId ?? known.find(({ name }) => name.segment === newest)?.header.logId;
  const own = all.filter(({ header, path, size }) => {
    if (header.logId === logId) return true;
    losses.push({ file: path, from: 0, to: size, reason: 'the segment belongs to another log' });
    return false;
  });
  const archiveFloor = floors?.get(ARCHIVE_FLOOR) ?? 0;
  const abandoned = abandonedIn(own, names, watermark, archiveFloor);
  const reached = Math.max(watermark?.segment ?? 0, ...names.map(({ segment }) => segment));
  const segments = chooseAll(own, names, abandoned, reached);
  const counting = segments.filter(({ isForked }) => !isForked);
  losses.push(...missingIn(directory, counting, names, manifest?.firstSegment, watermark));
  const first = counting[0]?.name.firstSequence ?? 1;
  const firstSequence = Math.min(first, manifest?.firstSequence ?? first);
  const firstSegment = Math.min(
    ...[manifest?.firstSegment, counting[0]?.name.segment].filter((it) => it !== undefined),
  );
  const wasArchived = firstSequence > 1 && archiveFloor >= firstSequence - 1;
  // An archive may have begun later than the log: its owner says where.
  if (wasArchived && (archive?.owner?.firstSegment ?? 0) < firstSegment)
    losses.push(archivedBeginning(directory, firstSequence, archive));
  else if (firstSequence > 1 && (manifest === undefined || !floors?.size))
    losses.push(unknownBeginning(directory, firstSequence, { manifest, floors }));
  return {
    logId,
    firstSequence,
    placesBefore: manifest?.placesBefore ?? new Map(),
    promised: promisedBy({ segments: counting, watermark, floors }),
    segments,
    losses,
  };
}

function archivedBeginning(
  file: string,
  first: number,
  archive: ArchiveStore | undefined,
): SalvageLoss {
  const why =
    archive === undefined ? 'name the archive (--archive)' : 'this archive does not hold them';
  return { file, from: 0, to: 0, reason: `sequences 1 to ${first - 1} were archived: ${why}` };
}

/** Not called gone: it may be what retention has removed. */
function unknownBeginning(
  file: string,
  first: number,
  { manifest, floors }: Pick<Witnesses, 'manifest' | 'floors'>,
): SalvageLoss {
  const witness = floors === undefined ? 'FLOORS cannot be read' : 'there is no FLOORS';
  const why = manifest === undefined ? 'MANIFEST cannot be read' : witness;
  const reason = `${why}: whether sequences 1 to ${first - 1} were removed, are in an archive, or are lost is not known`;
  return { file, from: 0, to: 0, reason };
}

function candidateOf(
  fileSystem: FileSystem,
  directory: string,
  name: SegmentName,
  archived: readonly Candidate[],
  losses: SalvageLoss[],
): Candidate | undefined {
  const path = segmentPath(directory, name);
  const open = (): File => openToRead(fileSystem, path);
  try {
    const { header: own, size } = inspectSegment(
      fileSystem,
      directory,
      name,
      (file) => new DamagedFile(file),
    );
    // Its frames verify under the header of the file that they were written to, and under no other.
    const header = own ?? archived.find((one) => isCopy(one, name, open))?.header;
    if (header !== undefined) return { name, path, header, size, open };
    const reason = 'both copies of the header are damaged';
    losses.push({ file: path, from: 0, to: size, reason });
  } catch (error) {
    if (!isOfNoUse(error)) throw error;
    losses.push({ file: path, from: 0, to: 0, reason: errorMessage(error) });
  }
  return undefined;
}

function isCopy({ name, header }: Candidate, file: SegmentName, open: () => File): boolean {
  if (name.segment !== file.segment || name.firstSequence !== file.firstSequence) return false;
  return (
    opened({ open }, (it) =>
      new FrameScanner(it, header, { limit: it.size(), reuse: true }).next(),
    ) !== undefined
  );
}

function archivedIn(archive: ArchiveStore | undefined): Candidate[] {
  if (archive === undefined) return [];
  return archive.segments().map((archived) => {
    const { name, path, header, contentBytes: size } = archived;
    return { name, path, header, size, archived, open: () => archive.open(archived) };
  });
}

/** The generation that MANIFEST names; of several the highest; of several histories the youngest; the live file before the archived one. */
function byPreference(
  manifest: Manifest | undefined,
): (one: Candidate, other: Candidate) => number {
  const rank = ({ name, header, archived }: Candidate): readonly number[] => [
    Number(name.generation === (manifest?.generations.get(name.segment) ?? 0)),
    header.epoch,
    header.createdMicros,
    name.generation,
    Number(archived === undefined),
  ];
  return (one, other) => {
    const [a, b] = [rank(one), rank(other)];
    const at = a.findIndex((value, index) => value !== b[index]);
    return at === -1 ? 0 : (b[at] ?? 0) - (a[at] ?? 0);
  };
}

function chooseAll(
  candidates: readonly Candidate[],
  names: readonly SegmentName[],
  abandoned: ReadonlySet<Candidate>,
  reached: number,
): SourceSegment[] {
  const numbers = new Set(
    [...candidates.map(({ name }) => name), ...names].map((it) => it.segment),
  );
  const segments: SourceSegment[] = [];
  let successor: SegmentHeader | undefined;
  let lastSequenceMax = Number.MAX_SAFE_INTEGER;
  for (const number of [...numbers].sort((a, b) => b - a)) {
    const next = successor?.segment === number + 1 ? successor : undefined;
    const here = candidates.filter(({ name }) => name.segment === number);
    const counting = choose(
      here.filter((one) => !abandoned.has(one)),
      next,
    );
    const isNewest = successor === undefined && number >= reached;
    if (counting !== undefined) segments.push({ ...counting, lastSequenceMax, isNewest });
    const forks = here.filter(({ header }) => header.timeline !== counting?.header.timeline);
    segments.push(...forks.map((fork) => ({ ...fork, lastSequenceMax, ...FORKED })));
    successor = counting?.header;
    // Where no header can be read, the name still says where the segment begins.
    const begins = counting ? [counting.name] : names.filter(({ segment }) => segment === number);
    const before = begins.map(({ firstSequence }) => firstSequence - 1);
    lastSequenceMax = Math.min(lastSequenceMax, ...before);
  }
  return segments.reverse();
}

const FORKED = { dataEnd: undefined, isSealed: false, isForked: true, isNewest: false };

/** Of the files of one number the one that the next segment goes on from, and of equal ones the first that is whole. */
function choose(
  candidates: readonly Candidate[],
  next: SegmentHeader | undefined,
): Omit<SourceSegment, 'lastSequenceMax' | 'isNewest'> | undefined {
  const live = candidates.filter(({ archived }) => archived === undefined);
  // With nothing behind it to judge by, the live one is the log's; a copy of it only where its own end is damaged.
  const fitting = candidates.filter((one) =>
    next !== undefined || live.length === 0
      ? isContinued(one, next)
      : live.some((it) => isSameFile(one, it) && (one === it || !endsWell(it))),
  );
  const sealed = fitting.length > 1 ? fitting.find((it) => isIntact(it, next)) : undefined;
  const counting = sealed ?? fitting[0] ?? live[0];
  if (counting === undefined) return undefined;
  const isSealed = isContinued(counting, next);
  return { ...counting, dataEnd: dataEndOf(counting, next), isSealed, isForked: false };
}

/** Numbers that must have been, and of which there is no file: between those that are, from MANIFEST's first, and up to the one that the watermark names. */
function missingIn(
  directory: string,
  segments: readonly SourceSegment[],
  names: readonly SegmentName[],
  firstSegment: number | undefined,
  watermark: Watermark | undefined,
): SalvageLoss[] {
  const present = new Set([...segments.map(({ name }) => name), ...names].map((it) => it.segment));
  const ordered = [...present].sort((a, b) => a - b);
  const losses: SalvageLoss[] = [];
  let expected = firstSegment ?? ordered[0] ?? 0;
  for (const number of [...ordered, (watermark?.segment ?? -1) + 1]) {
    if (number > expected) {
      const which =
        number - 1 === expected
          ? `segment ${expected} is`
          : `segments ${expected} to ${number - 1} are`;
      losses.push({ file: directory, from: 0, to: 0, reason: `${which} missing` });
    }
    expected = Math.max(expected, number + 1);
  }
  return losses;
}

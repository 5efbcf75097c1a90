import { defined } from '@holdfast/kernel';
import { readFloors } from '../directory/floors.js';
import { type Manifest, MANIFEST_NAME, readManifest } from '../directory/manifest.js';
import {
  checkedHeader,
  corruptHeader,
  isSuperseded,
  segmentTooMany,
} from '../directory/segments-of-log.js';
import { readWatermark, type Watermark } from '../directory/watermark.js';
import { readAt, withFile } from '../disk/file-reading.js';
import type { File, FileSystem } from '../disk/file-system.js';
import { type PredecessorSeal, sameSeal, type SegmentHeader } from '../format/segment-header.js';
import { parseSegmentName, type SegmentName, segmentPath } from '../format/segment-name.js';
import { FRAME_HEADER_BYTES, SEGMENT_DATA_START, ZERO_CHUNK_BYTES } from '../format/wal-format.js';
import {
  inspectSegment,
  lastFrameMatches,
  type SealedSegment,
  type SegmentFacts,
} from '../segment/segment-file.js';
import { readFooter } from '../segment/segment-footer.js';
import { endOfFrameWith, scanTail, type TailScan } from '../segment/tail-scan.js';
import { corrupt, lostTail, missingSegment, WalError } from '../wal.errors.js';
import { promisedBy } from './promised.js';
import { caseOfLastSegment } from './recovery-table.js';

/**
 * Recovery, first half: looks at everything, changes nothing, and either refuses or says what is to be done. The second half,
 * `repair.ts`, does it. The labels in comments are those of `recovery-table.ts`.
 */
export interface Diagnosis {
  /** Undefined: there is no log here yet. */
  readonly manifest: Manifest | undefined;
  /** Oldest first; each sealed by its successor's header. */
  readonly sealed: readonly SealedSegment[];
  /** The last segment; undefined when the log has none yet. */
  readonly tail: TailSegment | undefined;
  /** The segment of a log whose making crashed (`log-unfinished`), or segments that are `left-behind`. */
  readonly removable: readonly SegmentFacts[];
  /** `header-copy-damaged`. */
  readonly damagedCopies: readonly SegmentFacts[];
  /** `stray`: names of temporary files. */
  readonly strays: readonly string[];
}

export interface TailSegment {
  readonly name: SegmentName;
  readonly header: SegmentHeader;
  readonly path: string;
  readonly scan: TailScan;
  /** The highest sequence promised by anything: D. */
  readonly promised: number;
  /** Where the frames begin that nobody promised: they are rewritten and synced before anybody sees them. */
  readonly unpromisedFrom: number;
  /** `torn-tail`: bytes to set aside. */
  readonly torn: { readonly from: number; readonly to: number } | undefined;
}

/** Throws what the table refuses. Reads the headers of all segments and the whole of the last one. */
export function diagnose(fileSystem: FileSystem, directory: string): Diagnosis {
  const files = fileSystem.list(directory);
  const strays = files.filter((file) => file.endsWith('.tmp'));
  const names = files.map(parseSegmentName).filter((name) => name !== undefined);
  names.sort((a, b) => a.segment - b.segment || a.generation - b.generation);
  const manifest = readManifest(fileSystem, directory);
  if (manifest === undefined) {
    if (names.length > 0) throw manifestMissing(directory);
    return { manifest, sealed: [], tail: undefined, removable: [], damagedCopies: [], strays };
  }
  const facts = names.map((name) => inspectSegment(fileSystem, directory, name));
  if (manifest.firstSegment === 0) return unfinishedCreation(fileSystem, manifest, facts, strays);

  const { live, superseded } = liveSegments(manifest, facts);
  const watermark = readWatermark(fileSystem, directory);
  checkComplete(fileSystem, directory, manifest, live, watermark);
  const sealed = checkChain(fileSystem, directory, manifest, live);
  const tailFacts = live.at(-1);
  const floors = readFloors(fileSystem, directory);
  const promised = promisedBy({ segments: live, watermark, floors });
  const tail = tailFacts && judgeTail(fileSystem, directory, manifest, tailFacts, promised);
  return {
    manifest,
    sealed,
    tail,
    removable: superseded,
    damagedCopies: live.filter((segment) => segment.damagedCopy !== undefined),
    strays,
  };
}

/**
 * `log-unfinished`. The MANIFEST of a log that is being made names no segment yet, and no frame is written before it does. A later segment whose
 * creation crashed has its temporary name still: it gets its final one after its header is durable, so a named segment without a header
 * has lost what was durable, and perhaps acknowledged records with it.
 */
function unfinishedCreation(
  fileSystem: FileSystem,
  manifest: Manifest,
  facts: readonly SegmentFacts[],
  strays: readonly string[],
): Diagnosis {
  const written = facts.find((segment) => !dataIsZero(fileSystem, segment));
  if (written !== undefined) {
    throw new WalError(
      'WAL_MANIFEST_DAMAGED',
      `MANIFEST names no segment, but ${written.path} holds data; nothing was changed`,
      { file: written.path },
    );
  }
  return { manifest, sealed: [], tail: undefined, removable: facts, damagedCopies: [], strays };
}

/** The segments that count: from the first live one on, in the generation that the MANIFEST names. */
function liveSegments(
  manifest: Manifest,
  facts: readonly SegmentFacts[],
): { live: SegmentFacts[]; superseded: SegmentFacts[] } {
  const live: SegmentFacts[] = [];
  const superseded: SegmentFacts[] = [];
  for (const segment of facts) {
    const { segment: number, generation } = segment.name;
    const counting = manifest.generations.get(number) ?? 0;
    // A generation above the one that counts was made by a compaction that crashed before MANIFEST named it.
    const isUnfinished = generation > counting && segment.header?.compacted !== undefined;
    if (isSuperseded(manifest, segment.name) || isUnfinished) {
      superseded.push(segment);
    } else if (generation === counting && live.at(-1)?.name.segment !== number) {
      live.push(segment);
    } else {
      throw segmentTooMany(segment.path, segment.name);
    }
  }
  return { live, superseded };
}

/** `segment-missing`: every number from MANIFEST's first segment to the newest, and to the one that the watermark names. */
function checkComplete(
  fileSystem: FileSystem,
  directory: string,
  manifest: Manifest,
  segments: readonly SegmentFacts[],
  watermark: Watermark | undefined,
): void {
  segments.forEach((segment, at) => {
    if (segment.name.segment === manifest.firstSegment + at) return;
    throw missingAfter(
      fileSystem,
      directory,
      manifest,
      segments[at - 1],
      segment.name.firstSequence - 1,
    );
  });
  const newest = segments.at(-1);
  if (
    newest === undefined ||
    (watermark !== undefined && watermark.segment > newest.name.segment)
  ) {
    throw missingAfter(fileSystem, directory, manifest, newest, watermark?.sequence);
  }
}

/** Names the missing file: its first sequence follows the last one that its predecessor holds. */
function missingAfter(
  fileSystem: FileSystem,
  directory: string,
  manifest: Manifest,
  previous: SegmentFacts | undefined,
  lastSequence: number | undefined,
): WalError {
  const segment = previous === undefined ? manifest.firstSegment : previous.name.segment + 1;
  const firstSequence =
    previous === undefined ? manifest.firstSequence : endOf(fileSystem, previous) + 1;
  const generation = manifest.generations.get(segment) ?? 0;
  const file = segmentPath(directory, { segment, firstSequence, generation });
  return missingSegment(file, {
    segment,
    firstSequence,
    ...(lastSequence !== undefined && { lastSequence }),
  });
}

function endOf(fileSystem: FileSystem, segment: SegmentFacts): number {
  const { header } = segment;
  if (header === undefined) return segment.name.firstSequence - 1;
  return withFile(fileSystem, segment.path, (file) => scanTail(file, header)).lastSequence;
}

/** `sealed-damaged`, `header-damaged`: each header must be there and agree with its name, the log, and the end of the segment before it. */
function checkChain(
  fileSystem: FileSystem,
  directory: string,
  manifest: Manifest,
  segments: readonly SegmentFacts[],
): SealedSegment[] {
  const sealed: SealedSegment[] = [];
  segments.forEach((segment, at) => {
    const header = checkedHeader(manifest, segment);
    const previous = segments[at - 1];
    if (previous === undefined) {
      if (header.firstSequence !== manifest.firstSequence) {
        throw corruptHeader(segment, 'the first segment does not begin where MANIFEST says');
      }
      return;
    }
    const seal = sealOf(previous, header.predecessor);
    checkSeal(fileSystem, `${directory}/${previous.file}`, previous, segment, seal);
    sealed.push({
      name: previous.name,
      header: defined(previous.header, 'a checked header'),
      seal,
    });
  });
  const newest = segments.at(-1);
  // Only sealed segments are compacted, so it had a successor, whose header was durable.
  if (newest?.header?.compacted !== undefined)
    throw missingAfter(fileSystem, directory, manifest, newest, undefined);
  return sealed;
}

/** Where a segment ends: what its successor says; of a compacted one its own word, if it was made of what its successor names. */
function sealOf({ header }: SegmentFacts, named: PredecessorSeal): PredecessorSeal {
  const compacted = header?.compacted;
  if (compacted === undefined || !sameSeal(compacted.original, named)) return named;
  const { dataLength, lastFrameOffset, generation } = compacted;
  return { ...named, dataLength, lastFrameOffset, generation };
}

function checkSeal(
  fileSystem: FileSystem,
  path: string,
  previous: SegmentFacts,
  segment: SegmentFacts,
  seal: PredecessorSeal,
): void {
  const header = defined(previous.header, 'a checked header');
  const place = {
    file: path,
    firstSequence: header.firstSequence,
    lastSequence: seal.lastSequence,
  };
  if (
    seal.lastSequence + 1 !== segment.name.firstSequence ||
    seal.generation !== previous.name.generation
  ) {
    throw corruptHeader(segment, 'the segment does not continue the one before it');
  }
  if (previous.size < seal.dataLength) {
    throw corrupt(`the segment ends before its data, which is ${seal.dataLength} bytes long`, {
      ...place,
      offset: previous.size,
    });
  }
  if (!withFile(fileSystem, path, (file) => lastFrameMatches(file, header, seal))) {
    throw corrupt('the segment does not end with the frame that its successor names', {
      ...place,
      offset: seal.lastFrameOffset,
    });
  }
}

function judgeTail(
  fileSystem: FileSystem,
  directory: string,
  manifest: Manifest,
  facts: SegmentFacts,
  promisedElsewhere: number,
): TailSegment {
  const header = defined(facts.header, 'a checked header');
  const { scan, footer } = withFile(fileSystem, facts.path, (file) => {
    const found = scanTail(file, header);
    return { scan: found, footer: readFooter(file, found.validEnd) };
  });
  const promised = Math.max(promisedElsewhere, scan.promisedByFrames);
  const { validEnd, nonZeroEnd = validEnd, lastSequence, stopReason } = scan;
  const place = { file: facts.path, offset: validEnd, firstSequence: lastSequence + 1 };
  const lost = { ...place, lastSequence: promised };
  const label = caseOfLastSegment({
    hasFooter: footer !== undefined,
    lastSequence,
    promised,
    isCutShort: facts.size < Math.min(header.segmentBytes, ZERO_CHUNK_BYTES),
    bytesBehind: nonZeroEnd - validEnd,
    hasFrameBehind: scan.laterFrame !== undefined,
    isSync: header.durability === 'sync',
    tearBytesMax: FRAME_HEADER_BYTES + header.frameBytesMax,
  });
  switch (label) {
    case 'successor-missing':
      throw missingAfter(
        fileSystem,
        directory,
        manifest,
        facts,
        promised > lastSequence ? promised : undefined,
      );
    case 'promise-gone':
      throw lostTail('records that were promised are gone', lost);
    case 'promise-damaged':
      throw corrupt(`records that were promised are damaged: ${stopReason}`, lost);
    case 'cut-short':
      throw corrupt('the segment is shorter than it was when it got its name', place);
    case 'frame-behind-damage':
      throw corrupt(
        `a valid frame at ${scan.laterFrame?.fileOffset} follows damage: ${stopReason}`,
        place,
      );
    case 'longer-than-a-frame':
      throw corrupt(
        `there is more data after the damage than one frame can leave: ${stopReason}`,
        place,
      );
    case 'clean-end':
    case 'torn-tail':
  }
  return {
    name: facts.name,
    header,
    path: facts.path,
    scan,
    promised,
    unpromisedFrom: withFile(fileSystem, facts.path, (file) =>
      unpromisedFrom(file, header, scan, promised),
    ),
    torn: label === 'torn-tail' ? { from: validEnd, to: nonZeroEnd } : undefined,
  };
}

/**
 * Behind the frame that holds the last promised sequence. Empty frames that follow it count as unpromised too: the next segment's header
 * names the last frame, so that frame must be on the disk and not only in the page cache of a failed sync.
 */
function unpromisedFrom(
  file: File,
  segment: SegmentHeader,
  scan: TailScan,
  promised: number,
): number {
  if (promised < segment.firstSequence) return SEGMENT_DATA_START;
  return endOfFrameWith(file, segment, scan, promised);
}

function dataIsZero(fileSystem: FileSystem, segment: SegmentFacts): boolean {
  const chunk = Buffer.alloc(1024 * 1024);
  const zeros = Buffer.alloc(chunk.length);
  return withFile(fileSystem, segment.path, (file) => {
    for (let at = SEGMENT_DATA_START; at < segment.size; at += chunk.length) {
      const bytes = chunk.subarray(0, readAt(file, chunk, at));
      if (!bytes.equals(zeros.subarray(0, bytes.length))) return false;
    }
    return true;
  });
}

function manifestMissing(directory: string): WalError {
  const file = `${directory}/${MANIFEST_NAME}`;
  return new WalError(
    'WAL_MANIFEST_DAMAGED',
    `${file} is missing beside segments; nothing was changed`,
    { file },
  );
}

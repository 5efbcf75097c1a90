import type { SegmentHeader } from '../format/segment-header.js';
import type { SegmentName } from '../format/segment-name.js';
import type { SegmentFacts } from '../segment/segment-file.js';
import { corrupt, WalError } from '../wal.errors.js';
import type { Manifest } from './manifest.js';

/** The segment's header, if it has one and that agrees with its name and the log. Throws `WAL_CORRUPT`. */
export function checkedHeader(manifest: Manifest, segment: SegmentFacts): SegmentHeader {
  const { header, name } = segment;
  if (header === undefined)
    throw corruptHeader(segment, 'both copies of the segment header are damaged');
  if (header.logId !== manifest.logId)
    throw corruptHeader(segment, 'the segment belongs to another log');
  const isNamed =
    header.segment === name.segment &&
    header.firstSequence === name.firstSequence &&
    (header.compacted?.generation ?? 0) === name.generation;
  if (!isNamed) {
    throw corruptHeader(segment, "the segment's header does not agree with its name");
  }
  return header;
}

export function corruptHeader(segment: SegmentFacts, reason: string): WalError {
  return corrupt(reason, {
    file: segment.path,
    offset: 0,
    firstSequence: segment.name.firstSequence,
  });
}

/** Whether MANIFEST does not name it any more: it is below the log's beginning, or of a generation before the one that counts. */
export function isSuperseded(
  { firstSegment, generations }: Manifest,
  { segment, generation }: SegmentName,
): boolean {
  return segment < firstSegment || generation < (generations.get(segment) ?? 0);
}

/** A segment too many: a second one of a number, or of a generation that is not to come before the MANIFEST that names it. */
export function segmentTooMany(path: string, name: SegmentName): WalError {
  return corrupt('this file is no part of the log that MANIFEST describes', {
    file: path,
    offset: 0,
    firstSequence: name.firstSequence,
  });
}

import type { File } from '../../disk/file-system.js';
import { sameSeal, sealedLength, type SegmentHeader } from '../../format/segment-header.js';
import type { SegmentName } from '../../format/segment-name.js';
import { precedes } from '../../read/archived-part.js';
import type { ArchivedSegment } from '../../segment/archive-store.js';
import { FrameScanner } from '../../segment/frame-scanner.js';
import { lastFrameMatches } from '../../segment/segment-file.js';
import { readFooter } from '../../segment/segment-footer.js';
import { scanTail } from '../../segment/tail-scan.js';
import { isOfNoUse } from '../../wal.errors.js';

/** A file that may be a segment of the log. */
export interface Candidate {
  readonly name: SegmentName;
  readonly path: string;
  readonly header: SegmentHeader;
  readonly size: number;
  readonly archived?: ArchivedSegment;
  open(): File;
}

/** Something that could not be brought over. */
export interface SalvageLoss {
  readonly file: string;
  readonly from: number;
  readonly to: number;
  readonly reason: string;
}

/** Without a successor an archived one still says where it ended. */
export function isContinued(candidate: Candidate, next: SegmentHeader | undefined): boolean {
  const { archived, header } = candidate;
  if (archived !== undefined) return next === undefined || precedes(archived, next);
  if (next === undefined) return false;
  if (header.compacted !== undefined) return sameSeal(header.compacted.original, next.predecessor);
  const matches = attempt(() =>
    opened(candidate, (file) => lastFrameMatches(file, header, next.predecessor)),
  );
  return matches === true;
}

export function isIntact(candidate: Candidate, next: SegmentHeader | undefined): boolean {
  const limit = dataEndOf(candidate, next) ?? 0;
  const reached = attempt(() =>
    opened(candidate, (file) => {
      const scanner = new FrameScanner(file, candidate.header, { limit, reuse: true });
      while (scanner.next() !== undefined);
      return scanner.offset;
    }),
  );
  return reached === limit;
}

/** Whether it ends as a writer leaves it: behind its last frame stands a footer, or nothing. Then what it lacks was never its own, whatever a longer file of its number holds. */
export function endsWell(candidate: Candidate): boolean {
  const result = attempt(() =>
    opened(candidate, (file) => {
      const { validEnd, nonZeroEnd } = scanTail(file, candidate.header);
      return nonZeroEnd === undefined || readFooter(file, validEnd) !== undefined;
    }),
  );
  return result === true;
}

export function dataEndOf(
  { archived, header }: Candidate,
  next: SegmentHeader | undefined,
): number | undefined {
  if (archived !== undefined) return archived.dataLength;
  return next === undefined ? header.compacted?.dataLength : sealedLength(header, next);
}

export function opened<Result>(
  { open }: Pick<Candidate, 'open'>,
  work: (file: File) => Result,
): Result {
  const file = open();
  try {
    return work(file);
  } finally {
    file.close();
  }
}

/** Undefined for what is of no use: salvage goes on with what is. */
export function attempt<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    if (!isOfNoUse(error)) throw error;
    return undefined;
  }
}

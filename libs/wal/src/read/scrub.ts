import { setTimeout } from 'node:timers/promises';
import { defined, errorMessage } from '@holdfast/kernel';
import type { File } from '../disk/file-system.js';
import { readFooter } from '../segment/segment-footer.js';
import { isDamage } from '../wal.errors.js';
import type { CatalogEntry, SegmentCatalog } from './segment-catalog.js';
import type { VerifyProblem } from './verify.js';

export interface ScrubOptions {
  /** The average rate of reading; a single segment is read in one go. */
  readonly bytesPerSecond: number;
  readonly signal?: AbortSignal;
  readonly onSegment?: (segment: {
    readonly path: string;
    readonly bytes: number;
    readonly intact: boolean;
    /** What is wrong with it, when it is not intact. */
    readonly problem: VerifyProblem | undefined;
  }) => void;
}

export interface ScrubReport {
  readonly segments: number;
  readonly bytes: number;
  /** Not finished yet, so that their digest is not known; removed meanwhile; or `unread`. */
  readonly skipped: number;
  /** How far the pass has come: the last sequence of the last segment that it has looked at, 0 without one. */
  readonly lastSequence: number;
  readonly problems: readonly VerifyProblem[];
  /** What hindered the reading of a segment and is no damage, as a want of descriptors is: the next pass reads it. Counted in `skipped`. */
  readonly unread: readonly { readonly file: string; readonly reason: string }[];
}

/**
 * One pass over the sealed segments, oldest first: reads each in the background worker and compares its SHA-256 with the one that its footer
 * has kept since it was sealed. Finds what has rotted before somebody needs it; appends do not notice. What the page cache still
 * holds is not read from the medium, so a pass speaks best of segments that nobody has read lately.
 */
export async function scrubSegments(
  catalog: SegmentCatalog,
  options: ScrubOptions,
): Promise<ScrubReport> {
  const problems: VerifyProblem[] = [];
  const unread: { file: string; reason: string }[] = [];
  let [segments, bytes, skipped, lastSequence] = [0, 0, 0, 0];
  const entries = catalog.all();
  for (const [at, entry] of entries.entries()) {
    const { dataLength } = entry;
    if (dataLength === undefined || options.signal?.aborted === true) break;
    const problem = await scrub(catalog, entry, options.signal);
    if (problem === 'cancelled') break;
    lastSequence = (entries[at + 1]?.name.firstSequence ?? 1) - 1;
    if (problem === 'unfinished' || problem instanceof Error) {
      if (problem instanceof Error)
        unread.push({ file: entry.path, reason: errorMessage(problem) });
      skipped++;
      continue;
    }
    segments++;
    bytes += dataLength;
    if (problem !== undefined) problems.push(problem);
    const intact = problem === undefined;
    options.onSegment?.({ path: entry.path, bytes: dataLength, intact, problem });
    await pause((dataLength / options.bytesPerSecond) * 1000, options.signal);
  }
  return { segments, bytes, skipped, lastSequence, problems, unread };
}

async function scrub(
  catalog: SegmentCatalog,
  asked: CatalogEntry,
  signal: AbortSignal | undefined,
): Promise<VerifyProblem | 'unfinished' | 'cancelled' | Error | undefined> {
  const found = (reason: string): VerifyProblem => ({
    file: asked.path,
    offset: 0,
    firstSequence: asked.name.firstSequence,
    reason,
  });
  try {
    const { entry, file } = catalog.open(asked);
    const dataLength = defined(entry.dataLength, 'the length of a sealed segment');
    const footer = closing(file, () => readFooter(file, dataLength));
    if (footer === undefined) return 'unfinished';
    const digest = await catalog.sha256(entry, dataLength);
    return Buffer.compare(digest, footer.sha256) === 0
      ? undefined
      : found('the SHA-256 of the segment differs');
  } catch (error) {
    // Whoever cancels a pass may end the worker and close the files under it: that says nothing of the segment.
    if (signal?.aborted === true) return 'cancelled';
    // Removed or replaced since this pass began: what counts now is read by the next one.
    if (catalog.bySegment(asked.name.segment)?.path !== asked.path) return 'unfinished';
    return isDamage(error) ? found(errorMessage(error)) : hindrance(error);
  }
}

function hindrance(error: unknown): Error {
  return error instanceof Error ? error : new Error(errorMessage(error));
}

function closing<Result>(file: File, work: () => Result): Result {
  try {
    return work();
  } finally {
    file.close();
  }
}

async function pause(millis: number, signal: AbortSignal | undefined): Promise<void> {
  // Aborting ends the pause early, and the pass with it.
  await setTimeout(millis, undefined, signal === undefined ? {} : { signal }).catch(
    () => undefined,
  );
}

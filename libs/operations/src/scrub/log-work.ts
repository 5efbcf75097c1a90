import type { LogBelow } from '@holdfast/event-store';
import type { VerifyReport } from '@holdfast/wal';
import type { ScrubReport } from '@holdfast/wal/maintenance';
import type { WorkContext } from '../jobs/job.js';

/** The verdict on what was read, and whether that is everything. */
interface Verdict {
  readonly sound: boolean;
  readonly complete: boolean;
  /** What could not be verified, each a sentence. */
  readonly unverified: readonly string[];
}

/** Reads every byte of the log. `sound` is the verdict; the problems say where. */
export async function verifyLog(
  wal: LogBelow,
  { signal, progress }: WorkContext,
): Promise<VerifyReport & Verdict> {
  // Cancelled, it reports what it has found until then: damage is told all the same.
  const report = await wal.verify(
    ({ bytesDone, bytesTotal }) => progress(bytesDone, bytesTotal, 'bytes'),
    signal,
  );
  const complete = report.unverified.length === 0;
  return { sound: report.problems.length === 0, complete, ...report };
}

/** One pass over the sealed segments at a bounded rate; it reads no other, so it is never the whole log. */
export async function scrubLog(
  wal: LogBelow,
  bytesPerSecond: number,
  { signal, progress }: WorkContext,
): Promise<ScrubReport & Verdict> {
  const { logBytes } = wal.stats();
  let done = 0;
  const report = await wal.maintenance.scrub({
    bytesPerSecond,
    signal,
    onSegment: ({ bytes }) => progress((done += bytes), Math.max(done, logBytes), 'bytes'),
  });
  const unverified = ['The segment that still grows has no digest yet; a verification reads it.'];
  if (report.skipped > 0)
    unverified.push(
      ...report.unread.map(({ file, reason }) => `${file} could not be read: ${reason}`),
      `${report.skipped} segments were left out: they have no digest yet, left the log meanwhile, or could not be read.`,
    );
  return { sound: report.problems.length === 0, complete: false, unverified, ...report };
}

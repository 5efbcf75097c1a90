import { CodedError } from '@holdfast/kernel';
import type { ScrubReport, VerifyReport, Wal } from '@holdfast/wal';
import type { WorkContext } from '../jobs/job.js';

/** Reads every byte of the log. `sound` is the verdict; the problems say where. */
export async function verifyLog(
  wal: Wal,
  { signal, progress }: WorkContext,
): Promise<VerifyReport & { readonly sound: boolean }> {
  const report = await wal.verify(({ bytesDone, bytesTotal }) => {
    // Between two stretches of reading nothing is held: to throw here ends the reading and closes its file.
    if (signal.aborted) throw new CodedError('WORK_CANCELLED', 'the verification was cancelled');
    progress(bytesDone, bytesTotal, 'bytes');
  });
  // A verification takes a problem with one segment for damage of it and goes on, so what was thrown above may stand there.
  if (signal.aborted) throw new CodedError('WORK_CANCELLED', 'the verification was cancelled');
  return { sound: report.problems.length === 0, ...report };
}

/** One pass over the sealed segments at a bounded rate. */
export async function scrubLog(
  wal: Wal,
  bytesPerSecond: number,
  { signal, progress }: WorkContext,
): Promise<ScrubReport & { readonly sound: boolean }> {
  const { logBytes } = wal.stats();
  let done = 0;
  const report = await wal.scrub({
    bytesPerSecond,
    signal,
    onSegment: ({ bytes }) => progress((done += bytes), Math.max(done, logBytes), 'bytes'),
  });
  return { sound: report.problems.length === 0, ...report };
}

import { ThreadEnd } from '@holdfast/kernel';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { RebuildProgress } from '../runner/rebuild-projection.js';
import type { ReportTarget } from '../feed/progress-reports.js';
import { STOP } from './main-thread.js';
import { asError, failureOf, threadEnded } from './projection-thread.js';
import type { RebuildThreadMessage } from './rebuild-for-main.js';

export interface ThreadRebuildOptions {
  readonly onProgress: (progress: RebuildProgress) => void;
  /** How far what is filled has come, so that the log keeps what it needs. */
  readonly onReport: ReportTarget;
  readonly signal: AbortSignal;
}

/** A batch, and a feed's end, take less. */
const STOP_MILLIS_MAX = 5_000;
/** Of a thread that tells its progress four times a second. */
const HUNG_MILLIS = 5_000;

/**
 * `rebuildProjection` in a thread of its own, so that it takes nothing from the commands. The script calls `rebuildForMain`. A thread that does not stop is ended where it stands, like one that
 * is killed: the next rebuild goes on with what it has committed.
 *
 * @throws what `rebuildProjection` throws; `PROJECTION_THREAD_ENDED`.
 */
export async function rebuildInThread(
  script: URL,
  data: unknown,
  { onProgress, onReport, signal }: ThreadRebuildOptions,
): Promise<boolean> {
  const isStopped = () => signal.aborted;
  if (isStopped()) return false;
  const worker = new Worker(script, { name: 'rebuild', workerData: data });
  let heardAtMillis = performance.now();
  let tookOver: boolean | undefined;
  let failure: Error | undefined;
  worker.on('message', (message: RebuildThreadMessage) => {
    heardAtMillis = performance.now();
    if (message.kind === 'progress') onProgress(message.progress);
    else if (message.kind === 'report') onReport(message.report);
    else if (message.kind === 'ended') ({ tookOver } = message);
    else failure = failureOf(message);
  });
  worker.on('error', (error: unknown) => (failure = asError(error)));
  const end = new ThreadEnd(worker, () => performance.now() - heardAtMillis > HUNG_MILLIS);
  const exited = once(worker, 'exit');
  const stop = () => void end.stop(STOP, STOP_MILLIS_MAX);
  signal.addEventListener('abort', stop, { once: true });
  const [exitCode] = (await exited) as [number];
  signal.removeEventListener('abort', stop);
  if (failure !== undefined) throw failure;
  if (tookOver === undefined && !isStopped()) throw threadEnded(exitCode);
  return tookOver ?? false;
}

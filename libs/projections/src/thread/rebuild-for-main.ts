import { defined } from '@holdfast/kernel';
import { parentPort } from 'node:worker_threads';
import type { RebuildOptions, RebuildProgress } from '../runner/rebuild-projection.js';
import type { ReportTarget } from '../feed/progress-reports.js';
import { type FailedMessage, type ReportMessage, failedMessage } from './main-thread.js';

export type RebuildThreadMessage =
  | { readonly kind: 'progress'; readonly progress: RebuildProgress }
  | { readonly kind: 'ended'; readonly tookOver: boolean }
  | ReportMessage
  | FailedMessage;

export interface RebuildForMain extends Required<
  Pick<RebuildOptions<unknown>, 'onProgress' | 'signal'>
> {
  /** For the feed: what is being filled needs the log from where it stands. */
  readonly report: ReportTarget;
}

/** In the thread that `rebuildInThread` has begun: does what it is for, and ends. `rebuild` closes what it has opened. */
export function rebuildForMain(rebuild: (told: RebuildForMain) => Promise<boolean>): void {
  const main = defined(parentPort, 'the main thread');
  const tell = (message: RebuildThreadMessage) => main.postMessage(message);
  const stopping = new AbortController();
  main.once('message', () => stopping.abort());
  void rebuild({
    signal: stopping.signal,
    onProgress: (progress) => tell({ kind: 'progress', progress }),
    report: (report) => tell({ kind: 'report', report }),
  })
    .then((tookOver) => tell({ kind: 'ended', tookOver }))
    .catch((error: unknown) => tell(failedMessage(error)))
    .finally(() => main.close());
}

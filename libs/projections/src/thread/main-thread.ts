import { CodedError, type ErrorDetails, defined, errorCode, errorMessage } from '@holdfast/kernel';
import { parentPort } from 'node:worker_threads';
import type { ConsumerReport } from '../feed/feed-consumers.js';
import type { ProjectionStatus } from '../runner/projection-status.js';

/** A projection that somebody keeps up with the log: in this thread, or in another. */
export interface FollowedProjection {
  readonly status: ProjectionStatus;
  stop(): Promise<void>;
}

/** What the thread tells. Errors lose their class on the way, so they travel as what they say. */
export type ProjectionThreadMessage =
  { readonly kind: 'status'; readonly status: ProjectionStatus } | ReportMessage | FailedMessage;

export interface ReportMessage {
  readonly kind: 'report';
  readonly report: ConsumerReport;
}

export interface FailedMessage {
  readonly kind: 'failed';
  readonly code: string;
  readonly message: string;
  readonly details: ErrorDetails;
}

/** The only thing that the thread is told. */
export const STOP = 'stop';

const STATUS_MILLIS = 200;

export interface ToldByThread {
  readonly onFailure: (error: unknown) => void;
  readonly report: (report: ConsumerReport) => void;
}

/** In the thread of a `ProjectionThread`: tells the main thread several times a second where the projection stands, and ends when it says so. */
export function followForMain(start: (told: ToldByThread) => FollowedProjection): void {
  const main = defined(parentPort, 'the main thread');
  const tell = (message: ProjectionThreadMessage) => main.postMessage(message);
  const projection = start({
    onFailure: (error) => tell(failedMessage(error)),
    report: (report) => tell({ kind: 'report', report }),
  });
  const tellStatus = () => tell({ kind: 'status', status: projection.status });
  tellStatus();
  const telling = setInterval(tellStatus, STATUS_MILLIS);
  main.once('message', () => {
    clearInterval(telling);
    void projection.stop().then(() => main.close());
  });
}

export function failedMessage(error: unknown): FailedMessage {
  return {
    kind: 'failed',
    code: errorCode(error) ?? 'PROJECTION_THREAD_ENDED',
    message: errorMessage(error),
    details: error instanceof CodedError ? error.details : {},
  };
}

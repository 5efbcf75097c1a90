import { CodedError, ThreadEnd, defined, errorMessage } from '@holdfast/kernel';
import { Worker } from 'node:worker_threads';
import type { ConsumerReport } from '../feed/feed-consumers.js';
import type { ProjectionStatus } from '../runner/projection-status.js';
import {
  type FailedMessage,
  type FollowedProjection,
  type ProjectionThreadMessage,
  STOP,
} from './main-thread.js';

export interface ProjectionThreadListeners {
  readonly onFailure: (error: unknown) => void;
  /** How far the read model has come durably, so that the log keeps what it needs. */
  readonly onReport: (report: ConsumerReport) => void;
}

/** A batch, and a feed's end, take less. */
const STOP_MILLIS_MAX = 5_000;

/** Of a thread that tells its status five times a second. */
const HUNG_MILLIS = 5_000;

/**
 * The projection in a thread of its own, so that catching up takes nothing from the commands. A projection that cannot go on says so and stays, and its health is red. A
 * thread that ends before it is told to is a failure of the whole process: half a service that looks whole is worse than one that is started again.
 */
export class ProjectionThread implements FollowedProjection {
  private last: ProjectionStatus | undefined;
  private toldAtMillis = performance.now();
  private stopping = false;
  private readonly end: ThreadEnd;

  private constructor(
    worker: Worker,
    onStatus: () => void,
    { onFailure, onReport }: ProjectionThreadListeners,
  ) {
    worker.on('message', (message: ProjectionThreadMessage) => {
      if (message.kind === 'failed') {
        onFailure(failureOf(message));
        return;
      }
      if (message.kind === 'report') {
        onReport(message.report);
        return;
      }
      this.last = message.status;
      this.toldAtMillis = performance.now();
      onStatus();
    });
    worker.on('error', onFailure);
    this.end = new ThreadEnd(worker, () => performance.now() - this.toldAtMillis > HUNG_MILLIS);
    worker.on('exit', (exitCode) => {
      if (!this.stopping) onFailure(threadEnded(exitCode));
    });
  }

  /** A script that calls `followForMain`. Resolves once the thread has said where it stands. Rejects when it could not start. */
  static start(
    script: URL,
    data: unknown,
    { onFailure, onReport }: ProjectionThreadListeners,
  ): Promise<ProjectionThread> {
    const worker = new Worker(script, { name: 'projection', workerData: data });
    return new Promise((resolve, reject) => {
      const thread: ProjectionThread = new ProjectionThread(worker, () => resolve(thread), {
        onFailure: (error) => {
          // The start hears of the first failure, whoever watches the running service of the others.
          if (thread.last === undefined) reject(asError(error));
          else onFailure(error);
        },
        onReport,
      });
    });
  }

  get status(): ProjectionStatus {
    const last = defined(this.last, 'the status of a thread that has started');
    const ageMillis = performance.now() - this.toldAtMillis;
    const stillMillis = last.stillMillis + ageMillis;
    return { ...last, ageMillis, stillMillis, unheardMillis: last.unheardMillis + ageMillis };
  }

  /**
   * Ends between two batches. A thread that does not is ended where it stands, like one that is killed: its transaction is undone, and what was committed is there.
   * Resolves in any case.
   */
  async stop(stopMillisMax: number = STOP_MILLIS_MAX): Promise<void> {
    this.stopping = true;
    await this.end.stop(STOP, stopMillisMax);
  }
}

export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(errorMessage(thrown));
}

export function failureOf({ code, message, details }: FailedMessage): Error {
  return new CodedError(code, message, details);
}

export function threadEnded(exitCode: number): CodedError {
  return new CodedError(
    'PROJECTION_THREAD_ENDED',
    `the projection's thread ended by itself, with exit code ${exitCode}`,
    { exitCode },
  );
}

import { CodedError, type ErrorDetails, defined, errorMessage } from '@holdfast/kernel';
import type { FollowedProjection } from '@holdfast/ledger-service';
import type { LogLevel } from '@holdfast/platform';
import type { ConsumerReport, DivergencePolicy, ProjectionStatus } from '@holdfast/projections';
import { Worker } from 'node:worker_threads';

export interface ProjectionThreadData {
  readonly walDirectory: string;
  readonly archiveDirectory: string;
  readonly readModelDirectory: string;
  readonly divergence: DivergencePolicy;
  readonly logLevel: LogLevel;
}

/** What the thread tells. Errors lose their class on the way, so they travel as what they say. */
export type ProjectionThreadMessage =
  | { readonly kind: 'status'; readonly status: ProjectionStatus }
  | { readonly kind: 'report'; readonly report: ConsumerReport }
  | {
      readonly kind: 'failed';
      readonly code: string;
      readonly message: string;
      readonly details: ErrorDetails;
    };

export interface ProjectionThreadListeners {
  readonly onFailure: (error: unknown) => void;
  /** How far the read model has come durably, so that the log keeps what it needs. */
  readonly onReport: (report: ConsumerReport) => void;
}

/** The only thing that the thread is told. */
export const STOP = 'stop';

/**
 * The projection in a thread of its own, so that catching up takes nothing from the commands. A thread that ends before it is told to
 * is a failure of the whole process: half a service that looks whole is worse than one that is started again.
 */
export class ProjectionThread implements FollowedProjection {
  private last: ProjectionStatus | undefined;
  private stopping = false;
  private readonly exited: Promise<void>;

  private constructor(
    private readonly worker: Worker,
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
      onStatus();
    });
    worker.on('error', onFailure);
    this.exited = new Promise((resolve) => {
      worker.on('exit', (exitCode) => {
        resolve();
        if (!this.stopping) onFailure(ended(exitCode));
      });
    });
  }

  /** Resolves once the thread has said where it stands. Rejects when it could not start. */
  static start(
    data: ProjectionThreadData,
    { onFailure, onReport }: ProjectionThreadListeners,
  ): Promise<ProjectionThread> {
    const worker = new Worker(new URL('./projection.worker.js', import.meta.url), {
      name: 'projection',
      workerData: data,
    });
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
    return defined(this.last, 'the status of a thread that has started');
  }

  async stop(): Promise<void> {
    this.stopping = true;
    this.worker.postMessage(STOP);
    await this.exited;
  }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(errorMessage(thrown));
}

function failureOf({
  code,
  message,
  details,
}: ProjectionThreadMessage & { kind: 'failed' }): Error {
  return new CodedError(code, message, details);
}

function ended(exitCode: number): CodedError {
  return new CodedError(
    'PROJECTION_THREAD_ENDED',
    `the projection's thread ended by itself, with exit code ${exitCode}`,
    { exitCode },
  );
}

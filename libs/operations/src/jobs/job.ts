import type { ErrorDetails } from '@holdfast/kernel';

export type JobState = 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled';

/** What a piece of work counts its progress in. */
export type JobUnit = 'bytes' | 'positions' | 'entries' | 'segments' | 'steps';

export interface JobProgress {
  readonly done: number;
  /** May grow; 0 while it is not known. */
  readonly total: number;
  readonly unit: JobUnit;
  /** Over the last seconds. */
  readonly perSecond: number;
  /** Undefined until a rate and a total are known. */
  readonly secondsLeft: number | undefined;
}

/** Why a job failed: what the log of the service says of it too. */
export interface JobProblem {
  readonly code: string;
  readonly message: string;
  readonly details: ErrorDetails;
}

export interface JobStatus {
  readonly id: string;
  /** `verify-log`, `archive` … */
  readonly kind: string;
  readonly state: JobState;
  readonly createdAtMillis: number;
  readonly startedAtMillis: number | undefined;
  readonly endedAtMillis: number | undefined;
  readonly progress: JobProgress | undefined;
  /** The report of the work, once it has succeeded; of a cancelled one as far as it has come, if it can tell. */
  readonly result: object | undefined;
  readonly problem: JobProblem | undefined;
}

/** What a long piece of work is given, whoever runs it: a job of the service, or the command line by itself. */
export interface WorkContext {
  /** Fires when the work should stop; it then leaves everything so that it can be run again. */
  readonly signal: AbortSignal;
  readonly progress: (done: number, total: number, unit: JobUnit) => void;
}

export type Work = (context: WorkContext) => Promise<object>;

export interface JobOptions {
  /** Of a job that nobody asked for: whether its result is worth no line and no memory. */
  readonly uneventful?: (result: object) => boolean;
}

/**
 * What must not run beside one another: `changes` move segments and files, `checks` read for long. A checkpoint is of neither kind: it
 * `waits` for nobody.
 */
export type JobLane = 'changes' | 'checks' | 'at-once';

import type { Outcome } from './problem-details.js';

/** What a client is told when an error with this code reaches the edge. */
export interface CodedErrorProblem {
  readonly problem: string;
  /** For problems of status 5xx. */
  readonly outcome?: Outcome;
  readonly retryAfterSeconds?: number;
  /** A sentence that may be shown to anybody; the error's own message is only logged. */
  readonly detail?: string;
  /** Of the error's details, those that may be shown to anybody: members of the problem, and parameters of its own sentence. */
  readonly shown?: readonly string[];
}

/** By `CodedError.code`, for example `{ WAL_OVERLOADED: { problem: 'overloaded', retryAfterSeconds: 1 } }`. */
export type CodedErrorProblems = Readonly<Record<string, CodedErrorProblem>>;

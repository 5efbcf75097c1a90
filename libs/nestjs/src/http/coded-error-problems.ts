import { type CodedError, type ErrorDetails, errorCode } from '@holdfast/kernel';
import type { Outcome } from './problem-details.js';
import type { ProblemExceptionOptions } from './problem.exception.js';

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

/** What is answered for something thrown. */
export interface ProblemAnswer extends ProblemExceptionOptions {
  readonly slug: string;
}

/** What the table says of an error; undefined of one that it does not foresee. */
export function codedProblem(
  thrown: unknown,
  codedErrors: CodedErrorProblems,
): ProblemAnswer | undefined {
  const code = errorCode(thrown);
  const coded = code === undefined ? undefined : codedErrors[code];
  if (coded === undefined) return undefined;
  const { problem, shown, ...options } = coded;
  const parameters = shown && shownDetails(thrown, shown);
  return { slug: problem, ...options, ...(parameters && { parameters }) };
}

/** Of a coded error's details, those with these names. */
function shownDetails(error: unknown, names: readonly string[]): ErrorDetails {
  const { details = {} } = error as Partial<CodedError>;
  return Object.fromEntries(names.map((name) => [name, details[name]]));
}

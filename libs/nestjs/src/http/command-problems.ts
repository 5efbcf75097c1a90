import type { CodedErrorProblem, CodedErrorProblems } from './coded-error-problems.js';
import type { ProblemKinds } from './problem-catalogue.js';

/** What a command can meet whatever it is about. The sentences of recorded refusals never change. */
export const COMMAND_PROBLEMS = {
  'idempotency-key-missing': {
    status: 400,
    title: 'The request needs an idempotency key',
    detail: () => 'Send an Idempotency-Key that is new for each new attempt.',
  },
  'idempotency-key-reused': {
    status: 422,
    title: 'The idempotency key was used for another request',
    detail: () => 'A repeated request must be the same in method, path, If-Match and body.',
  },
  'idempotency-in-flight': {
    status: 409,
    title: 'A request with this idempotency key is being answered',
    detail: () => 'The first request with this key is not durable yet; send it again in a moment.',
  },
  'answer-removed': {
    status: 410,
    title: 'The answer is no longer kept',
    detail: () =>
      'A command with this key was decided long ago, and nothing was applied now; what it was answered has been removed by retention.',
  },
  'clock-skew': {
    status: 503,
    title: 'The clock cannot be trusted',
    detail: (of) =>
      `The clock of the service says ${of('clockTime')}, and ${of('expectedTime')} was expected. Nothing was applied.`,
  },
} as const satisfies ProblemKinds;

/** What a command with an old key was answered stands in the log or its archive, and cannot be read: its volume is away, or it is damaged. The command may well have been applied, long ago. */
const ANSWER_UNREADABLE: CodedErrorProblem = {
  problem: 'storage-unavailable',
  outcome: 'unknown',
  retryAfterSeconds: 30,
  detail:
    'What the log or its archive holds of this cannot be read just now. Send the same request with the same key again to learn what happened.',
};

/** What clients are told when the log cannot serve them. Before admission nothing was applied; afterwards nobody knows. */
export const COMMAND_ERRORS: CodedErrorProblems = {
  EVENT_TOO_LARGE: {
    problem: 'too-large',
    detail: 'The command is larger than the log takes at once.',
  },
  WAL_OVERLOADED: { problem: 'overloaded', retryAfterSeconds: 1 },
  EVENT_STATE_OVERLOADED: { problem: 'overloaded', retryAfterSeconds: 1 },
  // A read that came after the log had closed.
  EVENT_LOG_CLOSED: { problem: 'service-stopping', outcome: 'not-applied' },
  EVENT_CLOCK_SKEW: {
    problem: 'clock-skew',
    outcome: 'not-applied',
    retryAfterSeconds: 30,
    shown: ['clockTime', 'expectedTime'],
  },
  WAL_FULL: {
    problem: 'storage-unavailable',
    outcome: 'not-applied',
    retryAfterSeconds: 30,
    detail: 'The disk of the log is full. Nothing was applied.',
  },
  WAL_READ_FAILED: ANSWER_UNREADABLE,
  WAL_ARCHIVE_NOT_FOUND: ANSWER_UNREADABLE,
  WAL_ARCHIVE_MISMATCH: ANSWER_UNREADABLE,
  WAL_MISSING_SEGMENT: ANSWER_UNREADABLE,
  WAL_CORRUPT: ANSWER_UNREADABLE,
  WAL_UNSUPPORTED_FORMAT: ANSWER_UNREADABLE,
  EVENT_CORRUPT: ANSWER_UNREADABLE,
  EVENT_UNSUPPORTED_FORMAT: ANSWER_UNREADABLE,
  EVENT_UNKNOWN_SCHEMA: ANSWER_UNREADABLE,
  COMMAND_ANSWER_REMOVED: { problem: 'answer-removed' },
  COMMANDS_UNAVAILABLE: {
    problem: 'storage-unavailable',
    outcome: 'not-applied',
    retryAfterSeconds: 5,
    detail: 'The log takes no work until it is opened again. Nothing was applied.',
  },
  COMMAND_OUTCOME_UNKNOWN: {
    problem: 'storage-unavailable',
    outcome: 'unknown',
    retryAfterSeconds: 5,
    detail:
      'The log failed while this was being written. Send the same request with the same key again to learn what happened.',
  },
};

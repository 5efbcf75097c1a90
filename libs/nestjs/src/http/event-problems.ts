import type { CodedErrorProblems } from './coded-error-problems.js';
import type { ProblemKinds } from './problem-catalogue.js';
import { ProblemException } from './problem.exception.js';
import { RETRY_AFTER_SECONDS } from './query-problems.js';

/** What whoever follows events can meet, beside `position-unknown`. */
export const EVENTS_PROBLEMS = {
  'events-gone': {
    status: 410,
    title: 'The log no longer has the events that follow this position',
    detail: () =>
      'Retention has removed them. Read what there is by queries, or begin where the log begins now: `firstAfter` is the `after` for that.',
  },
  'too-many-streams': {
    status: 503,
    title: 'As many streams of events are open as may be',
  },
} as const satisfies ProblemKinds;

const UNREADABLE = {
  problem: 'storage-unavailable',
  outcome: 'not-applied',
  retryAfterSeconds: 5,
  detail: 'The log or its archive cannot be read just now.',
} as const;

/** What clients are told when the log cannot be read on. */
export const EVENTS_ERRORS: CodedErrorProblems = {
  FEED_UNAVAILABLE: UNREADABLE,
  EVENT_LOG_CLOSED: { problem: 'service-stopping', outcome: 'not-applied' },
  WAL_CLOSED: { problem: 'service-stopping', outcome: 'not-applied' },
  ...Object.fromEntries(
    [
      ...['WAL_POISONED', 'WAL_FENCED', 'WAL_READ_FAILED', 'WAL_CORRUPT', 'WAL_MISSING_SEGMENT'],
      ...['WAL_ARCHIVE_NOT_FOUND', 'WAL_ARCHIVE_MISMATCH', 'WAL_UNSUPPORTED_FORMAT'],
      ...['EVENT_CORRUPT', 'EVENT_UNSUPPORTED_FORMAT', 'EVENT_UNKNOWN_SCHEMA'],
      'EVENT_UPCAST_FAILED',
    ].map((code) => [code, UNREADABLE]),
  ),
};

/** A position that was told before it was on the disk, as the log's durability allows. */
export function notDurableYet(): ProblemException {
  return new ProblemException('storage-unavailable', {
    outcome: 'not-applied',
    retryAfterSeconds: RETRY_AFTER_SECONDS,
    detail: 'The log is not durable up to this position yet, and only durable events are shown.',
  });
}

/** `firstAfter`: what to ask with to begin where the log begins; undefined when the log does not know. */
export function eventsGone(firstAfter: string | undefined): ProblemException {
  return new ProblemException('events-gone', { parameters: { firstAfter } });
}

import type { CodedErrorProblems } from './coded-error-problems.js';
import type { ProblemKinds } from './problem-catalogue.js';
import { ProblemException } from './problem.exception.js';

/** What a query can meet whatever it asks. */
export const QUERY_PROBLEMS = {
  'position-unknown': { status: 400, title: 'The position is not one of this log' },
  'projection-lagging': { status: 503, title: 'The read model has not come so far yet' },
} as const satisfies ProblemKinds;

/** What clients are told when the read model cannot serve them. */
export const QUERY_ERRORS: CodedErrorProblems = {
  READ_MODEL_NOT_READY: {
    problem: 'projection-lagging',
    outcome: 'not-applied',
    retryAfterSeconds: 1,
    detail:
      'There is no read model to answer from yet: it is being made and has not caught up with the log, or it is not of this log.',
  },
  READ_MODEL_UNAVAILABLE: {
    problem: 'storage-unavailable',
    outcome: 'not-applied',
    retryAfterSeconds: 5,
    detail: 'The read model cannot be read just now.',
  },
  READ_MODEL_DAMAGED: {
    problem: 'storage-unavailable',
    outcome: 'not-applied',
    retryAfterSeconds: 30,
    detail: 'The read model is damaged and must be made again from the log.',
  },
};

export const RETRY_AFTER_SECONDS = 1;

const POSITION_UNKNOWN = {
  malformed: 'is not a position that this service gave.',
  foreign: 'is a position of another log: of another installation, or of one that was replaced.',
  'taken-back':
    'is a position of a history that the log does not have any more: it was restored to an earlier moment.',
} as const;

/** `name` is that of the parameter. */
export function positionUnknown(
  why: keyof typeof POSITION_UNKNOWN,
  name = 'minPosition',
): ProblemException {
  return new ProblemException('position-unknown', { detail: `${name} ${POSITION_UNKNOWN[why]}` });
}

/** `headers` say how far the read model has come. */
export function lagging(headers: Readonly<Record<string, string>>): ProblemException {
  return new ProblemException('projection-lagging', {
    outcome: 'not-applied',
    retryAfterSeconds: RETRY_AFTER_SECONDS,
    detail:
      'The read model has not come as far as the position asked for. Its own is in Holdfast-Position.',
    headers,
  });
}

/** Neither a wait for a position nor a new command outlives the service. */
export function serviceStopping(): ProblemException {
  return new ProblemException('service-stopping', {
    outcome: 'not-applied',
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}

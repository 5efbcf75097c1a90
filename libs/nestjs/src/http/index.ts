/** The small door of this room: what an HTTP service of any domain says and understands. It loads neither Nest nor the log. */
export { breakOff, tellsItsEnd } from './break-off.js';
export { canonicalJson } from './canonical-json.js';
export {
  type CodedErrorProblem,
  type CodedErrorProblems,
  type ProblemAnswer,
  codedProblem,
} from './coded-error-problems.js';
export { CommandHeaders, invalidHeader } from './command-headers.js';
export { COMMAND_ERRORS, COMMAND_PROBLEMS } from './command-problems.js';
export { EVENTS_ERRORS, EVENTS_PROBLEMS, eventsGone } from './event-problems.js';
export {
  type AnswersOf,
  type HttpAnswer,
  HttpAnswers,
  type MalformedField,
  malformedField,
} from './http-answers.js';
export { PLATFORM_PROBLEMS } from './platform-problems.js';
export { preferredWaitSeconds } from './prefer-wait.js';
export {
  ProblemCatalogue,
  type ProblemKind,
  type ProblemKinds,
  type ProblemOccurrence,
} from './problem-catalogue.js';
export {
  type Outcome,
  PROBLEM_MEDIA_TYPE,
  type ProblemDetails,
  type ProblemParameter,
  type ProblemParameters,
  problemType,
} from './problem-details.js';
export { ProblemException, type ProblemExceptionOptions } from './problem.exception.js';
export {
  QUERY_ERRORS,
  QUERY_PROBLEMS,
  RETRY_AFTER_SECONDS,
  lagging,
  positionUnknown,
  serviceStopping,
} from './query-problems.js';
export { type HashedRequest, requestHash } from './request-hash.js';
export { type StreamLimits, StreamPlaces } from './stream-places.js';

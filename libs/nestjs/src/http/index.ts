/** The small door of this room: what an HTTP service of any domain says and understands. It loads nothing but itself: no Nest, no log. */
export { canonicalJson } from './canonical-json.js';
export type { CodedErrorProblem, CodedErrorProblems } from './coded-error-problems.js';
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
export { type HashedRequest, requestHash } from './request-hash.js';

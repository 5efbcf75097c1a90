import {
  type CodedErrorProblems,
  PLATFORM_PROBLEMS,
  type ProblemKinds,
  problemResponses,
} from '@holdfast/platform';

/** The problems of the admin API beside those of the platform. */
export const ADMIN_PROBLEMS: ProblemKinds = {
  'job-not-found': {
    status: 404,
    title: 'There is no such job',
    detail: () =>
      'Jobs are kept in memory: a restart forgets them. Start the operation again; it goes on where it was.',
  },
  'floor-not-found': {
    status: 404,
    title: 'There is no such floor',
    detail: (of) => `Nothing is held under the name ${of('floor')}.`,
  },
  'floor-kept': {
    status: 409,
    title: 'The floor is kept by the service itself',
    detail: (of) => `${of('floor')} is not a consumer's: ${of('reason')}`,
  },
  'state-not-kept': {
    status: 409,
    title: 'The state of this log is not checkpointed',
    detail: () =>
      'It is in memory only, and made of the whole log at each start: there is nothing to checkpoint and no snapshot of it.',
  },
  'backup-place-refused': {
    status: 403,
    title: 'Backups are not made there',
    detail: (of) => `${of('directory')} is not below HOLDFAST_BACKUP_DIRECTORY.`,
  },
  'confirmation-missing': {
    status: 422,
    title: 'The name must be given again',
    detail: (of) => `To drop ${of('dropped')}, send the exact name ${of('name')} as "confirm".`,
  },
  'projection-not-found': {
    status: 404,
    title: 'There is no such projection',
    detail: (of) => `The service has no projection called ${of('projection')}.`,
  },
  'generation-not-found': {
    status: 404,
    title: 'There are no such tables',
    detail: (of) => `${of('projection')} has no generation ${of('generation')}, or none any more.`,
  },
  'read-model-not-here': {
    status: 409,
    title: 'There is no read model here',
    detail: (of) =>
      `Nobody has begun tables of ${of('projection')} where this service looks for them. Start its worker; where that has directories of its own, let this service see them.`,
  },
  'commit-not-quarantined': {
    status: 404,
    title: 'There is no such commit in the quarantine',
    detail: (of) =>
      `Nothing at position ${of('position')} waits in the quarantine of ${of('projection')}, or not any more. A commit is named by the position of its first event.`,
  },
  'commit-only-waits': {
    status: 409,
    title: 'The commit was not refused',
    detail: (of) =>
      `The commit at position ${of('position')} waits behind the one at ${of('behind')}: release or skip that one, and it is tried.`,
  },
  'rebuild-running': {
    status: 409,
    title: 'The projection is being rebuilt already',
    detail: (of) => `A job does that for ${of('projection')}: GET /admin/jobs.`,
  },
  'rebuild-unsupported': {
    status: 409,
    title: 'This service cannot rebuild the projection',
    detail: (of) =>
      `${of('projection')} cannot run in a thread of its own, and a rebuild must not take that of the commands.`,
  },
};

/** What operators are told of failures with these codes. They may see everything, so sentences are the errors' own where that helps. */
export const ADMIN_CODED_ERRORS: CodedErrorProblems = {
  JOBS_FULL: { problem: 'overloaded', retryAfterSeconds: 10 },
  JOBS_CLOSED: { problem: 'service-stopping', outcome: 'not-applied' },
  READ_MODEL_UNAVAILABLE: { problem: 'storage-unavailable', outcome: 'unknown' },
  READ_MODEL_DAMAGED: { problem: 'storage-unavailable', outcome: 'unknown' },
  WAL_CLOSED: { problem: 'service-stopping', outcome: 'not-applied' },
  EVENT_LOG_CLOSED: { problem: 'service-stopping', outcome: 'not-applied' },
  WAL_FULL: {
    problem: 'storage-unavailable',
    outcome: 'not-applied',
    detail: 'The disk of the log is full.',
  },
  WAL_POISONED: {
    problem: 'storage-unavailable',
    outcome: 'unknown',
    detail: 'The log has failed; the process is about to end.',
  },
  WAL_FENCED: {
    problem: 'storage-unavailable',
    outcome: 'unknown',
    detail: 'Another process has taken the log over; this one is about to end.',
  },
};

const problems = problemResponses({ ...PLATFORM_PROBLEMS, ...ADMIN_PROBLEMS });

/** The problems that a handler may answer with, beside those of access, by status. */
export function AdminProblems(...slugs: readonly string[]): MethodDecorator {
  return problems('unauthorized', 'forbidden', ...slugs);
}

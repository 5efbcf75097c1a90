import type { ProblemType } from '@holdfast/ledger';
import type {
  CodedErrorProblem,
  CodedErrorProblems,
  ProblemKind,
  ProblemKinds,
} from '@holdfast/platform';

/**
 * What `decide` refuses, as HTTP. The sentences are pure functions of the recorded parameters and part of recorded answers: a replay
 * must read the same for ever, so they are never reworded.
 */
const REJECTIONS: Readonly<Record<ProblemType, ProblemKind>> = {
  'ledger-not-found': {
    status: 404,
    title: 'There is no such ledger',
    detail: (of) => `The ledger ${of('ledger')} has not been opened.`,
  },
  'asset-not-found': {
    status: 404,
    title: 'There is no such asset',
    detail: (of) => `The asset ${of('asset')} is not registered in this ledger.`,
  },
  'account-not-found': {
    status: 404,
    title: 'There is no such account',
    detail: (of) => `The account ${of('accountId')} does not exist.`,
  },
  'transfer-not-found': {
    status: 404,
    title: 'There is no such transfer',
    detail: (of) => `The transfer ${of('transferId')} does not exist.`,
  },
  'account-exists': {
    status: 409,
    title: 'The account exists already',
    detail: (of) => `The account ${of('accountId')} exists already.`,
  },
  'asset-scale-differs': {
    status: 409,
    title: 'The asset is registered with another scale',
    detail: (of) =>
      `The asset ${of('asset')} is registered with scale ${of('scale')}, not ${of('requestedScale')}; a scale never changes.`,
  },
  'reference-exists': {
    status: 409,
    title: 'The reference is used already',
    detail: (of) => `The reference ${of('reference')} belongs to transfer ${of('transferId')}.`,
  },
  'account-frozen': {
    status: 409,
    title: 'The account is frozen',
    detail: (of) => `The account ${of('accountId')} is ${of('accountStatus')}.`,
  },
  'account-closed': {
    status: 409,
    title: 'The account is closed',
    detail: (of) => `The account ${of('accountId')} is closed for good.`,
  },
  'account-not-empty': {
    status: 409,
    title: 'The account is not empty',
    detail: (of) =>
      `The account ${of('accountId')} holds ${of('balance')} or has open holds; only an empty account can be closed.`,
  },
  'version-mismatch': {
    status: 412,
    title: 'The version is not the one expected',
    detail: (of) =>
      `The ${of('resource')} ${of('id')} is at version ${of('actualVersion')}, not ${of('expectedVersion')}.`,
  },
  'insufficient-funds': {
    status: 422,
    title: 'Insufficient funds',
    detail: (of) =>
      `The account ${of('accountId')} has ${of('available')} available; ${of('needed')} is needed above its floor of ${of('floor')}.`,
  },
  'ceiling-exceeded': {
    status: 422,
    title: 'The ceiling would be exceeded',
    detail: (of) =>
      `The account ${of('accountId')} holds ${of('balance')}; adding ${of('added')} would exceed ${of('ceiling')}.`,
  },
  'legs-unbalanced': {
    status: 422,
    title: 'Debits and credits differ',
    detail: (of) => `In ${of('asset')} the legs debit ${of('debits')} and credit ${of('credits')}.`,
  },
  'amount-overflow': {
    status: 422,
    title: 'The amount is too large for the account',
    detail: (of) => `A counter of the account ${of('accountId')} would reach 2^127.`,
  },
  'metadata-keys-exceeded': {
    status: 422,
    title: 'There would be too many metadata keys',
    detail: (of) => `The change would leave ${of('keys')} keys; there may be ${of('keysMax')}.`,
  },
  'idempotency-key-reused': {
    status: 422,
    title: 'The idempotency key was used for another request',
    detail: () => 'A repeated request must be the same in method, path, If-Match and body.',
  },
  'effective-in-future': {
    status: 422,
    title: 'The time of effect is in the future',
    detail: (of) => `${of('effectiveAt')} is after ${of('now')}, the present of the ledger.`,
  },
};

/** The problems of the ledger beside those of the platform: `ledger.md`'s table, statuses and types stable. */
export const LEDGER_PROBLEMS: ProblemKinds = {
  ...REJECTIONS,
  'idempotency-key-missing': {
    status: 400,
    title: 'The request needs an idempotency key',
    detail: () => 'Send an Idempotency-Key that is new for each new attempt.',
  },
  'position-unknown': { status: 400, title: 'The position is not one of this log' },
  'command-not-found': {
    status: 404,
    title: 'No command is known under this key',
    detail: () =>
      'This is no proof that the command will not happen: resubmit it with the same key to be sure.',
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
  'precondition-required': {
    status: 428,
    title: 'The request needs If-Match',
    detail: () => 'Send If-Match with the ETag of the version that was seen.',
  },
  'not-applied': {
    status: 503,
    title: 'An earlier command of the bulk was not applied, so this one was not decided',
    detail: () =>
      'The reason passes. Send this command again under the same key, together with those before it.',
  },
  'projection-lagging': { status: 503, title: 'The read model has not come so far yet' },
  'clock-skew': {
    status: 503,
    title: 'The clock cannot be trusted',
    detail: (of) =>
      `The clock of the service says ${of('clockTime')}, and ${of('expectedTime')} was expected. Nothing was applied.`,
  },
};

/** What a command with an old key was answered stands in the log or its archive, and cannot be read: its volume is away, or it is damaged. The command may well have been applied, long ago. */
const ANSWER_UNREADABLE: CodedErrorProblem = {
  problem: 'storage-unavailable',
  outcome: 'unknown',
  retryAfterSeconds: 30,
  detail:
    'What the log or its archive holds of this cannot be read just now. Send the same request with the same key again to learn what happened.',
};

/** What clients are told when the log or the read model cannot serve them. Before admission nothing was applied; afterwards nobody knows. */
export const LEDGER_CODED_ERRORS: CodedErrorProblems = {
  EVENT_TOO_LARGE: {
    problem: 'too-large',
    detail: 'The command is larger than the log takes at once.',
  },
  QUERY_THREAD_ENDED: {
    problem: 'storage-unavailable',
    outcome: 'not-applied',
    retryAfterSeconds: 1,
    detail: 'The read model cannot be read just now.',
  },
  QUERIES_FULL: { problem: 'overloaded', outcome: 'not-applied', retryAfterSeconds: 1 },
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
  READ_MODEL_NOT_READY: {
    problem: 'projection-lagging',
    outcome: 'not-applied',
    retryAfterSeconds: 1,
    detail:
      'There is no read model to answer from yet: it is being made and has not caught up with the log, or it is not of this log.',
  },
  QUERIES_SLOW: {
    problem: 'projection-lagging',
    outcome: 'not-applied',
    retryAfterSeconds: 1,
    detail: 'The read model did not say in time how far it has come.',
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

import type { ProblemType } from '@holdfast/ledger';
import {
  COMMAND_ERRORS,
  COMMAND_PROBLEMS,
  type CodedErrorProblems,
  EVENTS_PROBLEMS,
  type ProblemKind,
  type ProblemKinds,
  QUERY_ERRORS,
  QUERY_PROBLEMS,
} from '@holdfast/nestjs/http';

/**
 * What `decide` refuses, as HTTP. The sentences are pure functions of the recorded parameters and part of recorded answers: a replay
 * must read the same for ever, so they are never reworded.
 */
const REJECTIONS: Readonly<
  Record<Exclude<ProblemType, keyof typeof COMMAND_PROBLEMS>, ProblemKind>
> = {
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
  'effective-in-future': {
    status: 422,
    title: 'The time of effect is in the future',
    detail: (of) => `${of('effectiveAt')} is after ${of('now')}, the present of the ledger.`,
  },
};

/** The problems of the ledger beside those of the platform: `ledger.md`'s table, statuses and types stable. */
export const LEDGER_PROBLEMS: ProblemKinds = {
  ...REJECTIONS,
  ...COMMAND_PROBLEMS,
  ...QUERY_PROBLEMS,
  ...EVENTS_PROBLEMS,
  'command-not-found': {
    status: 404,
    title: 'No command is known under this key',
    detail: () =>
      'This is no proof that the command will not happen: resubmit it with the same key to be sure.',
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
};

/** What clients are told when the log or the read model cannot serve them. Before admission nothing was applied; afterwards nobody knows. */
export const LEDGER_CODED_ERRORS: CodedErrorProblems = {
  ...COMMAND_ERRORS,
  ...QUERY_ERRORS,
  QUERY_THREAD_ENDED: {
    problem: 'storage-unavailable',
    outcome: 'not-applied',
    retryAfterSeconds: 1,
    detail: 'The read model cannot be read just now.',
  },
  QUERIES_FULL: { problem: 'overloaded', outcome: 'not-applied', retryAfterSeconds: 1 },
  QUERIES_SLOW: {
    problem: 'projection-lagging',
    outcome: 'not-applied',
    retryAfterSeconds: 1,
    detail: 'The read model did not say in time how far it has come.',
  },
};

import { type CommandOutcome, type PlacedLog, encodePosition, placeIn } from '@holdfast/commands';
import type { Position } from '@holdfast/event-store';
import { errorCode, unreachable } from '@holdfast/kernel';
import type { Answer } from '@holdfast/ledger';
import {
  type FieldError,
  PLATFORM_PROBLEMS,
  PROBLEM_MEDIA_TYPE,
  ProblemCatalogue,
  type ProblemOccurrence,
  shownDetails,
} from '@holdfast/platform';
import { etagOf } from '../../shared/etag.js';
import { LEDGER_CODED_ERRORS, LEDGER_PROBLEMS } from '../../shared/ledger-problems.js';
import { resourcePaths } from '../../shared/resource-paths.js';
import { fieldError } from './invalid-request.js';

/** An answer as HTTP: to a request of its own, or to one item of a bulk. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: object;
}

const catalogue = new ProblemCatalogue(PLATFORM_PROBLEMS, LEDGER_PROBLEMS);

/**
 * A recorded answer: a pure function of the event at that position in that log, so that it is the same for ever, byte by byte.
 * Golden tests freeze it.
 */
export function recordedAnswer(answer: Answer, log: PlacedLog, position: Position): HttpAnswer {
  const headers = { 'Holdfast-Position': encodePosition(placeIn(log, position)) };
  if (answer.kind === 'rejection') {
    const { rejection } = answer;
    return problemAnswer(rejection.problem, { parameters: rejection.parameters }, headers);
  }
  return {
    status: answer.created ? 201 : 200,
    headers: { ...resourceHeaders(answer), ...headers },
    body: answer.body,
  };
}

type ResourceAnswer = Exclude<Answer, { kind: 'rejection' }>;

function resourceHeaders(answer: ResourceAnswer): Record<string, string> {
  const headers: Record<string, string> = {};
  if (answer.created) headers['Location'] = pathOf(answer);
  if ('version' in answer.body) headers['ETag'] = etagOf(answer.body.version);
  return headers;
}

function pathOf(answer: ResourceAnswer): string {
  switch (answer.kind) {
    case 'ledger':
      return resourcePaths.ofLedger(answer.body.id);
    case 'asset':
      return resourcePaths.ofAsset(answer.body.ledger, answer.body.code);
    case 'account':
      return resourcePaths.ofAccount(answer.body.ledger, answer.body.id);
    case 'transfer':
      return resourcePaths.ofTransfer(answer.body.ledger, answer.body.id);
    case 'transfer-metadata':
      return resourcePaths.ofTransfer(answer.body.ledger, answer.body.transferId);
  }
}

/** Any outcome. `base` is the JSON pointer of the command's fields in the request. */
export function outcomeAnswer(
  outcome: CommandOutcome<Answer>,
  log: PlacedLog,
  base = '',
): HttpAnswer {
  switch (outcome.kind) {
    case 'answered': {
      const answer = recordedAnswer(outcome.answer, log, outcome.position);
      if (!outcome.replayed) return answer;
      return { ...answer, headers: { ...answer.headers, 'Idempotency-Replayed': 'true' } };
    }
    case 'refused': {
      const { rejection } = outcome;
      return problemAnswer(rejection.problem, { parameters: rejection.parameters });
    }
    case 'malformed':
      return invalidAnswer([fieldError(outcome.field, outcome.problem, base)]);
    case 'in-flight':
      return problemAnswer('idempotency-in-flight', {}, { 'Retry-After': '1' });
    case 'rehearsed':
      return rehearsedAnswer(outcome.answer);
    default:
      return unreachable(outcome);
  }
}

/** A dry run made nothing, so nothing has a place, a version or a position: 200 with the body that there would be. */
function rehearsedAnswer(answer: Answer): HttpAnswer {
  if (answer.kind === 'rejection') {
    const { rejection } = answer;
    return problemAnswer(rejection.problem, { parameters: rejection.parameters });
  }
  return { status: 200, headers: {}, body: answer.body };
}

/** A request, or an item of a bulk, that breaks the grammar. */
export function invalidAnswer(errors: readonly FieldError[]): HttpAnswer {
  return problemAnswer('invalid-request', {
    parameters: {
      errors: errors.map(({ pointer, detail }) => ({ in: 'body', pointer, detail })),
    },
  });
}

/** What one item of a bulk is told of a failure of the log. Rethrows a bug, which fails the whole request. */
export function failureAnswer(error: unknown): HttpAnswer {
  const failure = LEDGER_CODED_ERRORS[errorCode(error) ?? ''];
  if (failure === undefined) throw error;
  const { problem, outcome, detail, retryAfterSeconds, shown = [] } = failure;
  return problemAnswer(
    problem,
    { outcome, detail, parameters: shownDetails(error, shown) },
    retryAfterSeconds === undefined ? {} : { 'Retry-After': String(retryAfterSeconds) },
  );
}

export function problemAnswer(
  slug: string,
  occurrence: ProblemOccurrence = {},
  headers: Readonly<Record<string, string>> = {},
): HttpAnswer {
  const body = catalogue.describe(slug, occurrence);
  return {
    status: body.status,
    headers: { 'Content-Type': PROBLEM_MEDIA_TYPE, ...headers },
    body,
  };
}

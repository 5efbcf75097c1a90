import type { PlacedLog, CommandOutcome } from '@holdfast/commands';
import type { Position } from '@holdfast/event-store';
import { assert } from '@holdfast/kernel';
import type { Answer } from '@holdfast/ledger';
import {
  type HttpAnswer,
  HttpAnswers,
  type MalformedField,
  PLATFORM_PROBLEMS,
  ProblemCatalogue,
  type ProblemOccurrence,
} from '@holdfast/nestjs/http';
import { etagOf } from '../../shared/etag.js';
import { LEDGER_CODED_ERRORS, LEDGER_PROBLEMS } from '../../shared/ledger-problems.js';
import { resourcePaths } from '../../shared/resource-paths.js';

const catalogue = new ProblemCatalogue(PLATFORM_PROBLEMS, LEDGER_PROBLEMS);
const answers = new HttpAnswers<Answer>(catalogue, LEDGER_CODED_ERRORS, {
  rejection: (answer) => (answer.kind === 'rejection' ? answer.rejection : undefined),
  shown,
});

/** As `HttpAnswers.recorded`. */
export function recordedAnswer(answer: Answer, log: PlacedLog, position: Position): HttpAnswer {
  return answers.recorded(answer, log, position);
}

/** As `HttpAnswers.outcome`. */
export function outcomeAnswer(
  outcome: CommandOutcome<Answer>,
  log: PlacedLog,
  base?: string,
): HttpAnswer {
  return answers.outcome(outcome, log, base);
}

/** A request, or an item of a bulk, that breaks the grammar. */
export function invalidAnswer(errors: readonly MalformedField[]): HttpAnswer {
  return answers.invalid(errors);
}

/** What one item of a bulk is told of a failure of the log. Rethrows a bug, which fails the whole request. */
export function failureAnswer(error: unknown): HttpAnswer {
  return answers.failure(error);
}

export function problemAnswer(
  slug: string,
  occurrence?: ProblemOccurrence,
  headers?: Readonly<Record<string, string>>,
): HttpAnswer {
  return answers.problem(slug, occurrence, headers);
}

type ResourceAnswer = Exclude<Answer, { kind: 'rejection' }>;

function shown(answer: Answer): HttpAnswer {
  assert(answer.kind !== 'rejection', 'a refusal shows no resource');
  return {
    status: answer.created ? 201 : 200,
    headers: resourceHeaders(answer),
    body: answer.body,
  };
}

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

import type { CommandOutcome } from '@holdfast/commands';
import { type PlacedLog, encodePosition, placeIn } from '@holdfast/commands/reading';
import type { Position } from '@holdfast/event-store';
import { unreachable } from '@holdfast/kernel';
import {
  type CodedErrorProblems,
  type ProblemAnswer,
  codedProblem,
} from './coded-error-problems.js';
import type { ProblemCatalogue, ProblemOccurrence } from './problem-catalogue.js';
import { PROBLEM_MEDIA_TYPE, type ProblemParameters } from './problem-details.js';
import { ProblemException } from './problem.exception.js';

/** An answer as HTTP: to a request of its own, or to one item of a bulk. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: object;
}

/** A field of the request that breaks its grammar. */
export interface MalformedField {
  /** JSON pointer. */
  readonly pointer: string;
  readonly detail: string;
}

/** What a service's answers are over HTTP: the one part that its domain decides. */
export interface AnswersOf<Answer> {
  /** Of an acceptance that is made for the first time. A pure function: the same answer gives the same bytes. */
  readonly shown: (answer: Answer) => HttpAnswer;
  /** Of a recorded refusal; undefined of an acceptance. */
  readonly rejection: (
    answer: Answer,
  ) => { readonly problem: string; readonly parameters: ProblemParameters } | undefined;
}

/** Outcomes of commands as HTTP, for a service of any domain. */
export class HttpAnswers<Answer> {
  constructor(
    private readonly catalogue: ProblemCatalogue,
    private readonly errors: CodedErrorProblems,
    private readonly of: AnswersOf<Answer>,
  ) {}

  /**
   * A recorded answer: a pure function of the event at that position in that log, so that it is the same for ever, byte by byte.
   * Golden tests freeze it.
   */
  recorded(answer: Answer, log: PlacedLog, position: Position): HttpAnswer {
    const headers = { 'Holdfast-Position': encodePosition(placeIn(log, position)) };
    const rejection = this.of.rejection(answer);
    if (rejection !== undefined)
      return this.problem(rejection.problem, { parameters: rejection.parameters }, headers);
    const shown = this.of.shown(answer);
    return { ...shown, headers: { ...shown.headers, ...headers } };
  }

  /** Any outcome. `base` is the JSON pointer of the command's fields in the request. */
  outcome(outcome: CommandOutcome<Answer>, log: PlacedLog, base = ''): HttpAnswer {
    switch (outcome.kind) {
      case 'answered': {
        const answer = this.recorded(outcome.answer, log, outcome.position);
        if (!outcome.replayed) return answer;
        return { ...answer, headers: { ...answer.headers, 'Idempotency-Replayed': 'true' } };
      }
      case 'refused': {
        const { problem, parameters } = outcome.rejection;
        return this.problem(problem, { parameters });
      }
      case 'malformed':
        return this.invalid([malformedField(outcome.field, outcome.problem, base)]);
      case 'in-flight':
        return this.problem('idempotency-in-flight', {}, { 'Retry-After': '1' });
      case 'rehearsed':
        return this.rehearsed(outcome.answer);
      default:
        return unreachable(outcome);
    }
  }

  /** A request, or an item of a bulk, that breaks the grammar. */
  invalid(errors: readonly MalformedField[]): HttpAnswer {
    return this.problem('invalid-request', {
      parameters: {
        errors: errors.map(({ pointer, detail }) => ({ in: 'body', pointer, detail })),
      },
    });
  }

  /** What is told of a failure of the log, and of a `ProblemException`. Rethrows a bug. */
  failure(error: unknown): HttpAnswer {
    const failure = codedProblem(error, this.errors);
    if (failure !== undefined) return this.told(failure);
    return this.thrown(error);
  }

  /** What whoever threw a `ProblemException` wants told. Rethrows everything else. */
  thrown(error: unknown): HttpAnswer {
    if (!(error instanceof ProblemException)) throw error;
    return this.told({ slug: error.slug, ...error.options });
  }

  private told({ slug, headers, retryAfterSeconds, ...occurrence }: ProblemAnswer): HttpAnswer {
    return this.problem(slug, occurrence, {
      ...(retryAfterSeconds !== undefined && { 'Retry-After': String(retryAfterSeconds) }),
      ...headers,
    });
  }

  problem(
    slug: string,
    occurrence: ProblemOccurrence = {},
    headers: Readonly<Record<string, string>> = {},
  ): HttpAnswer {
    const body = this.catalogue.describe(slug, occurrence);
    return {
      status: body.status,
      headers: { 'Content-Type': PROBLEM_MEDIA_TYPE, ...headers },
      body,
    };
  }

  /** A dry run made nothing, so nothing has a place, a version or a position: 200 with the body that there would be. */
  private rehearsed(answer: Answer): HttpAnswer {
    const rejection = this.of.rejection(answer);
    if (rejection !== undefined)
      return this.problem(rejection.problem, { parameters: rejection.parameters });
    return { status: 200, headers: {}, body: this.of.shown(answer).body };
  }
}

/** A field of the body as the domain names it, `legs[1].amount`, as a JSON pointer under `base`. */
export function malformedField(field: string, problem: string, base = ''): MalformedField {
  const pointer = field.replaceAll(/\[(\d+)\]/g, '/$1').replaceAll('.', '/');
  const name = field.slice(field.lastIndexOf('.') + 1);
  return { pointer: `${base}${pointer === '' ? '' : '/'}${pointer}`, detail: `${name} ${problem}` };
}

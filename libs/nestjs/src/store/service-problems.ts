import { COMMAND_PROBLEMS } from '../http/command-problems.js';
import { EVENTS_PROBLEMS } from '../http/event-problems.js';
import { PLATFORM_PROBLEMS } from '../http/platform-problems.js';
import {
  ProblemCatalogue,
  type ProblemKind,
  type ProblemKinds,
  type ProblemOccurrence,
  STANDARD_MEMBERS,
  sentenceOf,
} from '../http/problem-catalogue.js';
import type { ProblemDetails } from '../http/problem-details.js';
import { QUERY_PROBLEMS } from '../http/query-problems.js';

const REFUSED = 422;

/** The problems of a service. A refusal that no feature has a status for is 422, and its name is its title. */
export class ServiceProblems extends ProblemCatalogue {
  constructor(ofFeatures: readonly ProblemKinds[]) {
    super(PLATFORM_PROBLEMS, COMMAND_PROBLEMS, QUERY_PROBLEMS, EVENTS_PROBLEMS, ...ofFeatures);
  }

  override kind(slug: string): ProblemKind {
    return this.find(slug) ?? { status: REFUSED, title: slug };
  }

  /** A refusal is recorded already: a parameter that has the name of a standard member must not make it a failure, so all of them then stand in a member of their own. The sentence is made of them first. */
  override describe(slug: string, occurrence: ProblemOccurrence = {}): ProblemDetails {
    const { parameters = {} } = occurrence;
    if (!STANDARD_MEMBERS.some((name) => name in parameters))
      return super.describe(slug, occurrence);
    const detail = occurrence.detail ?? sentenceOf(this.kind(slug), parameters);
    return super.describe(slug, { ...occurrence, detail, parameters: { parameters } });
  }
}

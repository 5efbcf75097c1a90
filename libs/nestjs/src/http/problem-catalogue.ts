import { assert, defined } from '@holdfast/kernel';
import {
  type Outcome,
  type ProblemDetails,
  type ProblemParameter,
  type ProblemParameters,
  problemType,
} from './problem-details.js';

/** One kind of problem. The slug under which it stands in the table and its status are a public contract. */
export interface ProblemKind {
  readonly status: number;
  /** Short, the same for every occurrence. */
  readonly title: string;
  /**
   * A sentence for people about this occurrence, from its parameters as texts: `(of) => `${of('needed')} is needed``.
   * Pure, so that a recorded refusal always reads the same. One that throws is left out.
   */
  readonly detail?: (of: (parameter: string) => string) => string;
}

/** Kinds by slug, for example `{ 'insufficient-funds': { status: 422, title: 'Insufficient funds' } }`. */
export type ProblemKinds = Readonly<Record<string, ProblemKind>>;

export interface ProblemOccurrence {
  /** Overrides the sentence of the kind. */
  readonly detail?: string | undefined;
  readonly parameters?: ProblemParameters | undefined;
  readonly instance?: string | undefined;
  /** For 5xx only; `unknown` unless said otherwise, because that is the safe answer. */
  readonly outcome?: Outcome | undefined;
}

export const STANDARD_MEMBERS = ['type', 'title', 'status', 'detail', 'instance', 'outcome'];

/** Every problem that a service can answer with, and so the one place where problems have status codes. */
export class ProblemCatalogue {
  private readonly kinds = new Map<string, ProblemKind>();

  constructor(...tables: readonly ProblemKinds[]) {
    for (const table of tables)
      for (const [slug, kind] of Object.entries(table)) this.add(slug, kind);
  }

  private add(slug: string, kind: ProblemKind): void {
    assert(
      /^[a-z][a-z0-9-]*$/.test(slug),
      `the name of a problem is lower-case letters, digits and hyphens, the first a letter: ${JSON.stringify(slug)} is not`,
    );
    assert(kind.status >= 400 && kind.status <= 599, `${slug} needs a status of 4xx or 5xx`);
    assert(!this.kinds.has(slug), `the problem ${slug} is defined once`);
    this.kinds.set(slug, kind);
  }

  /** Throws `AssertionFailed` for a slug that no table defines: that is a bug of the caller. */
  kind(slug: string): ProblemKind {
    return defined(this.kinds.get(slug), `the problem kind ${slug}`);
  }

  find(slug: string): ProblemKind | undefined {
    return this.kinds.get(slug);
  }

  entries(): IterableIterator<[string, ProblemKind]> {
    return this.kinds.entries();
  }

  /** The body of an answer. A pure function: the same occurrence gives the same bytes. */
  describe(slug: string, occurrence: ProblemOccurrence = {}): ProblemDetails {
    const kind = this.kind(slug);
    const parameters = occurrence.parameters ?? {};
    for (const name of STANDARD_MEMBERS)
      assert(!(name in parameters), `${slug} must not have a parameter called ${name}`);
    const detail = occurrence.detail ?? sentenceOf(kind, parameters);
    return {
      type: problemType(slug),
      title: kind.title,
      status: kind.status,
      ...(detail === undefined ? {} : { detail }),
      ...(occurrence.instance === undefined ? {} : { instance: occurrence.instance }),
      ...(kind.status < 500 ? {} : { outcome: occurrence.outcome ?? 'unknown' }),
      ...parameters,
    };
  }
}

/** The problem may be recorded already: a sentence that cannot be made must not hide it. Its title says what it is. */
export function sentenceOf(
  { detail }: ProblemKind,
  parameters: ProblemParameters,
): string | undefined {
  try {
    return detail?.((name) => textOf(parameters[name]));
  } catch {
    return undefined;
  }
}

function textOf(parameter: ProblemParameter | undefined): string {
  return typeof parameter === 'string' ? parameter : JSON.stringify(parameter ?? null);
}

/** Whether a failed request may still have taken effect: every 5xx says so, because the client must know what to do next. */
export type Outcome = 'not-applied' | 'unknown';

export type ProblemParameter =
  | string
  | number
  | boolean
  | null
  | readonly ProblemParameter[]
  | { readonly [name: string]: ProblemParameter | undefined };

/** What a program needs to act on a problem: members beside the standard ones of RFC 9457. */
export type ProblemParameters = Readonly<Record<string, ProblemParameter | undefined>>;

/**
 * The body of an `application/problem+json` answer (RFC 9457). `type` is a stable path, `/problems/<slug>`, which the service
 * itself answers with an explanation. Members beside these are the problem's parameters.
 */
export interface ProblemDetails {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  /** The path of the request that met the problem. */
  readonly instance?: string;
  /** Present if and only if the status is 5xx. */
  readonly outcome?: Outcome;
  readonly [parameter: string]: ProblemParameter | undefined;
}

export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

export function problemType(slug: string): string {
  return `/problems/${slug}`;
}

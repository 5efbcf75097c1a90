import type { ProblemOccurrence } from './problem-catalogue.js';

export interface ProblemExceptionOptions extends ProblemOccurrence {
  /** Further header fields of the answer, for example `ETag`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly retryAfterSeconds?: number | undefined;
  readonly cause?: unknown;
}

/**
 * Thrown to answer with a problem: by handlers and pipes of `@Executes` and `@Reads`, and anywhere at the edge of a service with the platform's filter.
 * It names the problem's slug; the status stands in the service's catalogue.
 */
export class ProblemException extends Error {
  override readonly name = 'ProblemException';

  constructor(
    readonly slug: string,
    readonly options: ProblemExceptionOptions = {},
  ) {
    super(options.detail ?? slug, 'cause' in options ? { cause: options.cause } : undefined);
  }
}

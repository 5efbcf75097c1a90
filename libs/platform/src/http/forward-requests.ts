import type { HttpApplication } from './http-application.js';

export interface ForwardedRoute {
  /** A path below which everything is forwarded, `/v1`, or one with parameters, `/v1/ledgers/:ledger/commands`. */
  readonly prefix: string;
  readonly methods: readonly ('GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE')[];
}

export interface ForwardOptions {
  /** `http://127.0.0.1:7401` */
  readonly upstream: string;
  readonly routes: readonly ForwardedRoute[];
  /** How long the upstream may take to begin its answer. */
  readonly answerMillisMax?: number;
}

/**
 * Forwards requests to another service as they came, and its answers as they come. Call it before `listen`. An upstream that cannot
 * be reached is the problem `storage-unavailable`: outcome `not-applied` when nothing was sent, `unknown` when the connection
 * broke afterwards.
 */
export function forwardRequests(application: HttpApplication, options: ForwardOptions): void {
  throw new Error(
    `not built yet: ${application.nest.getHttpAdapter().getType()} ${options.upstream}`,
  );
}

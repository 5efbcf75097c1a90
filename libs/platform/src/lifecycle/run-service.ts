import type { Logger } from '../logging/logger.js';
import type { ExitCodes } from './exit-code.js';
import type { ServiceLifecycle } from './service-lifecycle.js';

/** What `runService` stops: `HttpApplication` is one. */
export interface StoppableService {
  drain(graceMillis: number): Promise<boolean>;
  stop(graceMillis: number): Promise<void>;
}

export interface RunServiceOptions {
  readonly logger: Logger;
  /** How long requests in flight may take once the service was told to stop. */
  readonly stopGraceMillis: number;
  readonly exitCodes?: ExitCodes;
}

/**
 * Runs a service until it is told to stop (SIGTERM, SIGINT) or fails, and then ends the process: the only place that does. A stop is
 * readiness red, no new connections, requests in flight answered within the grace, everything closed, exit 0. A second signal
 * ends it at once. A failure (`lifecycle.fatal`, an uncaught error, a bootstrap that throws) is logged, gives the requests in
 * flight at most one second to be answered, and exits with the code of the error.
 */
export function runService(
  bootstrap: (lifecycle: ServiceLifecycle) => Promise<StoppableService>,
  options: RunServiceOptions,
): Promise<void> {
  return Promise.reject(
    new Error(`not built yet: ${String(bootstrap)} ${options.stopGraceMillis}`),
  );
}

import type { Logger } from '../logging/logger.js';
import { ExitCode, type ExitCodes, exitCodeOf } from '@holdfast/nestjs/process';
import type { HostProcess } from './host-process.js';
import { ServiceLifecycle } from './service-lifecycle.js';

/** What `runService` stops: `HttpApplication` is one. */
export interface StoppableService {
  /** Accepts no new work and waits until the work in hand is done, at most `graceMillis`. */
  drain(graceMillis: number): Promise<unknown>;
  /** Drains, then closes everything. */
  stop(graceMillis: number): Promise<void>;
}

export interface RunServiceOptions {
  readonly logger: Logger;
  /** How long requests in flight may take after a stop was requested. */
  readonly stopGraceMillis: number;
  readonly exitCodes?: ExitCodes;
  /** Logged once: variables of the environment that look like configuration but are not. */
  readonly ignoredVariables?: readonly string[];
  readonly process?: HostProcess;
}

/** How long requests in flight get after a failure. */
export const FATAL_GRACE_MILLIS = 1_000;
/** How long closing everything may take after the grace; what takes longer is abandoned. */
const CLOSE_MILLIS_MAX = 10_000;

/**
 * Runs a service until SIGTERM, SIGINT or a failure, and then ends the process. Nothing else ends it.
 *
 * A stop: readiness red, no new connections, requests in flight answered within the grace, everything closed, exit 0. A second signal ends the process
 * at once. A failure (`lifecycle.fatal`, an uncaught error, a bootstrap that throws) is logged, gives the requests in flight at most a second, and exits
 * with the code of its error.
 */
export async function runService(
  bootstrap: (lifecycle: ServiceLifecycle) => Promise<StoppableService>,
  options: RunServiceOptions,
): Promise<void> {
  const { logger } = options;
  const host: HostProcess = options.process ?? process;
  const lifecycle = new ServiceLifecycle();
  const run = new ServiceRun(lifecycle, host, options);
  host.on('uncaughtException', (error) => lifecycle.fatal(error));
  host.on('unhandledRejection', (error) => lifecycle.fatal(error));
  host.on('SIGTERM', (signal) => run.stop(signal));
  host.on('SIGINT', (signal) => run.stop(signal));
  lifecycle.onFatal((error) => void run.fail(error));
  const { ignoredVariables: variables = [] } = options;
  if (variables.length > 0)
    logger.info({ variables }, 'ignored what Kubernetes tells of its services');
  try {
    run.service = await bootstrap(lifecycle);
  } catch (error) {
    lifecycle.fatal(error);
    return;
  }
  logger.debug('the service has started');
}

class ServiceRun {
  service: StoppableService | undefined;
  private stopping = false;

  constructor(
    private readonly lifecycle: ServiceLifecycle,
    private readonly host: HostProcess,
    private readonly options: RunServiceOptions,
  ) {}

  stop(signal: string): void {
    const { logger, stopGraceMillis } = this.options;
    if (this.stopping || this.service === undefined) {
      logger.warn(
        { signal },
        this.stopping ? 'told to stop twice: ending at once' : 'told to stop while starting',
      );
      this.host.exit(this.stopping ? ExitCode.FAILURE : ExitCode.OK);
      return;
    }
    this.stopping = true;
    logger.info({ signal, stopGraceMillis }, 'stopping');
    void this.close(this.service);
  }

  private async close(service: StoppableService): Promise<void> {
    const { logger, stopGraceMillis } = this.options;
    this.lifecycle.beginStop();
    try {
      await within(stopGraceMillis + CLOSE_MILLIS_MAX, service.stop(stopGraceMillis));
      logger.info('stopped');
      this.host.exit(ExitCode.OK);
    } catch (error) {
      this.lifecycle.fatal(error);
    }
  }

  async fail(error: unknown): Promise<void> {
    const { logger, exitCodes = {} } = this.options;
    const exitCode = exitCodeOf(error, exitCodes);
    logger.fatal({ err: error, exitCode }, 'the service has failed');
    try {
      await within(FATAL_GRACE_MILLIS, this.service?.drain(FATAL_GRACE_MILLIS));
    } catch (drainError) {
      logger.error({ err: drainError }, 'requests in flight may have got no answer');
    }
    this.host.exit(exitCode);
  }
}

/** Rejects when it takes longer, so that nothing can keep a process that must end. */
async function within(millis: number, work: Promise<unknown> | undefined): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${millis} ms`)), millis);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

import { AsyncLocalStorage } from 'node:async_hooks';
import { errorMessage } from '@holdfast/kernel';
import { ExitCode, type ExitCodes, exitCodeOf } from './exit-code.js';
import { LOG_EXIT_CODES } from './log-exit-codes.js';

/** What is closed when the process is told to stop: an application of Nest is one. */
export interface Closable {
  close(): Promise<unknown>;
}

export interface RunHoldfastOptions {
  /** By the codes of errors, beside those of the log. */
  readonly exitCodes?: ExitCodes;
  /** How long closing may take, requests in flight included. Default 10,000. */
  readonly stopMillisMax?: number;
  readonly process?: RunningProcess;
}

/** `process` itself, or another one in tests. */
export interface RunningProcess {
  on(event: string, listener: (reason: unknown) => void): unknown;
  exit(code: number): void;
  exitCode?: number | string | null | undefined;
  readonly stderr: { write(text: string): unknown };
}

const STOP_MILLIS_MAX = 10_000;
/** A failed service gives the requests in flight so long to be told. */
const FATAL_MILLIS_MAX = 1_000;

/** Which run a provider is made in, so that it can say why the start failed. */
const running = new AsyncLocalStorage<Run>();

/**
 * Starts an application and ends its process: with 0 once it was told to stop (SIGTERM, SIGINT) and has closed, with the code of what failed otherwise, also while it closes. Nest by itself ends with
 * 1 whatever failed, and `enableShutdownHooks` with 143: leave that out.
 *
 * A second signal ends the process at once.
 */
export async function runHoldfast(
  start: () => Promise<Closable>,
  options: RunHoldfastOptions = {},
): Promise<void> {
  const run = new Run(options);
  try {
    run.application = await running.run(run, start);
  } catch (error) {
    run.fail(error);
  }
}

/** To be told that the process must not go on. Outside of `runHoldfast` it is ended at once. */
export function endingProcess(): (error: unknown) => void {
  const run = running.getStore() ?? new Run({ process: withoutListeners() });
  return (error) => run.fail(error);
}

/** To be told why a start fails: Nest ends the process with 1 before `runHoldfast` hears of it. */
export function startFailed(error: unknown): void {
  running.getStore()?.startFailed(error);
}

class Run {
  application: Closable | undefined;
  private ending = false;
  private failure: { readonly error: unknown } | undefined;
  private readonly host: RunningProcess;

  constructor(private readonly options: RunHoldfastOptions) {
    this.host = options.process ?? process;
    for (const signal of ['SIGTERM', 'SIGINT']) this.host.on(signal, () => this.stop());
    for (const event of ['uncaughtException', 'unhandledRejection'])
      this.host.on(event, (error) => this.fail(error));
  }

  stop(): void {
    const { application, ending } = this;
    if (application === undefined || ending) {
      this.host.exit(ending ? ExitCode.FAILURE : ExitCode.OK);
      return;
    }
    this.ending = true;
    within(this.options.stopMillisMax ?? STOP_MILLIS_MAX, application.close()).then(
      () =>
        this.failure === undefined ? this.host.exit(ExitCode.OK) : this.end(this.failure.error),
      (error: unknown) => this.end(this.failure?.error ?? error),
    );
  }

  /** Only the first failure counts: later ones are its consequences. One that happens during a stop is told at its end. */
  fail(error: unknown): void {
    this.failure ??= { error };
    if (this.ending) return;
    this.ending = true;
    const end = () => this.end(error);
    if (this.application === undefined) end();
    else within(FATAL_MILLIS_MAX, this.application.close()).then(end, end);
  }

  startFailed(error: unknown): void {
    this.host.on('exit', () => {
      if (!this.ending) this.host.exitCode = this.exitCodeOf(error);
    });
  }

  private end(error: unknown): void {
    const exitCode = this.exitCodeOf(error);
    this.host.stderr.write(
      `the service has failed and ends with ${exitCode}: ${errorMessage(error)}\n`,
    );
    this.host.exit(exitCode);
  }

  private exitCodeOf(error: unknown): ExitCode {
    return exitCodeOf(error, { ...LOG_EXIT_CODES, ...this.options.exitCodes });
  }
}

/** A process that somebody else watches. */
function withoutListeners(): RunningProcess {
  return { on: () => undefined, exit: (code) => process.exit(code), stderr: process.stderr };
}

async function within(millis: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not closed within ${millis} ms`)), millis);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

import { Worker } from 'node:worker_threads';
import { CodedError, type ErrorDetails, ThreadEnd } from '@holdfast/kernel';
import { ledgerProjection } from '../projections/ledger.projection.js';
import type { Asked, QueryAsker, QueryCall } from './ledger-queries.js';
import { QueryQueue, type WaitingQuery, ended } from './query-queue.js';

/** More threads than this read one file no faster, and each holds a program of its own in memory. */
export const QUERY_THREADS_MAX = 2;
/** A query that runs at the end of the service may take so long; then its thread is ended where it stands. */
const STOP_MILLIS_MAX = 2_000;

export interface QueryThreadsOptions {
  readonly readModelDirectory: string;
}

export interface QueryThreadData extends QueryThreadsOptions {
  /** Given, because what it is defined with would have to be loaded. */
  readonly projection: { readonly name: string; readonly version: number };
}

/** What a thread is told: one query, and the next when that is answered. */
export type ToQueryThread = { readonly kind: 'ask'; readonly call: QueryCall } | { kind: 'stop' };

/** What it tells. Errors lose their class on the way, so they travel as what they say. */
export type FromQueryThread =
  | { readonly kind: 'asked'; readonly asked: Asked }
  | {
      readonly kind: 'failed';
      readonly code: string | undefined;
      readonly message: string;
      readonly details: ErrorDetails;
    };

/** One that is asked for longer as the process ends is not waited for. */
const HUNG_MILLIS = 5_000;

/** A thread, what it is asked, and its end. */
interface QueryThread {
  readonly worker: Worker;
  readonly end: ThreadEnd;
  asking: WaitingQuery | undefined;
  askedAtMillis: number;
}

/**
 * Answers queries in threads of their own, one at a time in each: SQLite is synchronous, and a query of many rows takes the thread that runs it
 * for as long as it needs. The thread that commits must not be that one.
 *
 * The first is started at once, so that the first query waits for no program to load, and the others as soon as one works: a start has enough to do. One that has ended
 * is started again when a query needs it.
 */
export class QueryThreads implements QueryAsker {
  private readonly threads = new Set<QueryThread>();
  private readonly queue = new QueryQueue(() => this.hand());

  constructor(
    private readonly options: QueryThreadsOptions,
    private readonly script = new URL('./query.worker.js', import.meta.url),
  ) {
    this.begin();
  }

  ask(call: QueryCall, signal: AbortSignal): Promise<Asked> {
    return this.queue.ask(call, signal);
  }

  /** Queries that wait are refused, those that run are answered. */
  async close(): Promise<void> {
    this.queue.close();
    await Promise.all(Array.from(this.threads, stop));
  }

  /** Gives what waits to threads that have nothing to do. */
  private hand(): void {
    while (this.queue.size > 0) {
      const thread = this.idle() ?? (this.mayBegin() ? this.begin() : undefined);
      if (thread === undefined) return;
      const asking = this.queue.next();
      if (asking === undefined) return;
      Object.assign(thread, { asking, askedAtMillis: performance.now() });
      thread.worker.postMessage({ kind: 'ask', call: asking.call } satisfies ToQueryThread);
      if (this.mayBegin()) this.begin();
    }
  }

  private idle(): QueryThread | undefined {
    for (const thread of this.threads) if (thread.asking === undefined) return thread;
    return undefined;
  }

  private mayBegin(): boolean {
    return !this.queue.isClosing && this.threads.size < QUERY_THREADS_MAX;
  }

  private begin(): QueryThread {
    const { name, version } = ledgerProjection;
    const workerData: QueryThreadData = { ...this.options, projection: { name, version } };
    const worker = new Worker(this.script, { name: 'query', workerData });
    const isHung = () =>
      thread.asking !== undefined && performance.now() - thread.askedAtMillis > HUNG_MILLIS;
    const thread: QueryThread = {
      ...{ worker, end: new ThreadEnd(worker, isHung) },
      ...{ asking: undefined, askedAtMillis: 0 },
    };
    this.threads.add(thread);
    let failure: unknown;
    worker.on('message', (message: FromQueryThread) => {
      const { asking } = thread;
      thread.asking = undefined;
      if (message.kind === 'asked') asking?.resolve(message.asked);
      else asking?.reject(failureOf(message));
      this.hand();
    });
    worker.on('error', (error: unknown) => {
      failure = error;
    });
    worker.on('exit', () => {
      this.threads.delete(thread);
      // Each thread that is begun again takes a query with it, so one that cannot start is not begun over and over.
      thread.asking?.reject(ended('the thread of the query ended', failure));
      this.hand();
    });
    worker.unref();
    return thread;
  }
}

function stop({ worker, end }: QueryThread): Promise<void> {
  worker.ref();
  return end.stop({ kind: 'stop' } satisfies ToQueryThread, STOP_MILLIS_MAX);
}

function failureOf({
  code,
  message,
  details,
}: FromQueryThread & { readonly kind: 'failed' }): Error {
  return code === undefined ? new Error(message) : new CodedError(code, message, details);
}

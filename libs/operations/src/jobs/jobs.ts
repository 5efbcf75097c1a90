import { randomUUID } from 'node:crypto';
import {
  CodedError,
  errorCode,
  errorMessage,
  type MonotonicClock,
  systemClock,
} from '@holdfast/kernel';
import type { OperatorLog } from '../operator-log.js';
import type { JobLane, JobOptions, JobProblem, JobState, JobStatus, JobUnit, Work } from './job.js';
import { ProgressMeter } from './progress-meter.js';

/** More than this many waiting for one lane is a mistake of whoever starts them. */
export const JOBS_QUEUED_MAX = 16;
/** So many of those that wait for nobody run at a time. */
export const JOBS_AT_ONCE_MAX = 16;
/** So many of those that have ended are remembered. */
export const JOBS_KEPT_MAX = 100;

const RUNNING_MAX: Readonly<Record<JobLane, number>> = {
  ...{ changes: 1, checks: 1 },
  'at-once': JOBS_AT_ONCE_MAX,
};

/** With what work ends that was told to stop, or whose log was closed. */
const CANCELLED: ReadonlySet<string> = new Set([
  'WORK_CANCELLED',
  'WAL_CANCELLED',
  'WAL_CLOSED',
  'EVENT_CANCELLED',
  'EVENT_LOG_CLOSED',
  'ABORT_ERR',
]);

export interface JobsOptions {
  readonly logger: OperatorLog;
  readonly clock?: MonotonicClock;
}

/**
 * Long work, one piece of a lane at a time, in the order in which it was asked for. Jobs live in memory only: a restart forgets them, and
 * every one of them leaves things so that running it again goes on where it was.
 */
export class Jobs {
  private readonly jobs = new Map<string, Job>();
  private readonly waiting: Job[] = [];
  private readonly running = new Map<JobLane, number>();
  private readonly clock: MonotonicClock;
  private closing = false;

  constructor(private readonly options: JobsOptions) {
    this.clock = options.clock ?? systemClock;
  }

  /** Throws `JOBS_FULL` when too many wait, and `JOBS_CLOSED` when the service is stopping. */
  start(kind: string, lane: JobLane, work: Work, options: JobOptions = {}): JobStatus {
    if (this.closing) throw new CodedError('JOBS_CLOSED', 'the service is stopping');
    const queued = this.waiting.filter((job) => job.lane === lane).length;
    if (queued >= JOBS_QUEUED_MAX)
      throw new CodedError('JOBS_FULL', `${JOBS_QUEUED_MAX} such jobs are waiting already`);
    const job = new Job(kind, lane, work, { ...options, clock: this.clock });
    this.jobs.set(job.id, job);
    this.waiting.push(job);
    this.startWaiting();
    return job.status();
  }

  /** Newest first. */
  list(): JobStatus[] {
    return Array.from(this.jobs.values(), (job) => job.status()).reverse();
  }

  get(id: string): JobStatus | undefined {
    return this.jobs.get(id)?.status();
  }

  /** Whether a job of this kind is queued or running. */
  has(kind: string): boolean {
    return [...this.jobs.values()].some((job) => job.kind === kind && !job.ended);
  }

  /** Asks a job to stop; one that has ended stays as it is. */
  cancel(id: string): JobStatus | undefined {
    const job = this.jobs.get(id);
    if (job === undefined) return undefined;
    job.cancelling.abort();
    const place = this.waiting.indexOf(job);
    if (place >= 0) {
      this.waiting.splice(place, 1);
      job.end('cancelled');
      this.forgetOldest();
    }
    return job.status();
  }

  /** Resolves with the last status of a job. */
  async ended(id: string): Promise<JobStatus | undefined> {
    const job = this.jobs.get(id);
    await job?.done.promise;
    return job?.status();
  }

  /** Cancels everything and waits until nothing runs: the log is about to be closed. */
  async close(): Promise<void> {
    this.closing = true;
    for (const { id } of [...this.jobs.values()].filter((job) => !job.ended)) this.cancel(id);
    await Promise.all([...this.jobs.values()].map((job) => job.done.promise));
  }

  private startWaiting(): void {
    for (const job of [...this.waiting]) {
      const running = this.running.get(job.lane) ?? 0;
      if (running >= RUNNING_MAX[job.lane]) continue;
      this.waiting.splice(this.waiting.indexOf(job), 1);
      void this.run(job);
    }
  }

  private async run(job: Job): Promise<void> {
    const { logger } = this.options;
    const told = { job: job.id, kind: job.kind };
    this.count(job.lane, 1);
    if (job.options.uneventful === undefined) logger.info(told, 'a job has begun');
    await job.run();
    this.count(job.lane, -1);
    if (job.isUneventful) this.jobs.delete(job.id);
    else this.tellEnd(job.status());
    this.forgetOldest();
    this.startWaiting();
  }

  private count(lane: JobLane, more: 1 | -1): void {
    this.running.set(lane, (this.running.get(lane) ?? 0) + more);
  }

  private tellEnd(status: JobStatus): void {
    const { logger } = this.options;
    const { id, kind, state, problem, startedAtMillis = 0, endedAtMillis = 0 } = status;
    const told = { job: id, kind, state, millis: endedAtMillis - startedAtMillis };
    if (problem !== undefined) logger.error({ ...told, problem }, 'a job has failed');
    else logger.info(told, state === 'succeeded' ? 'a job has succeeded' : 'a job was cancelled');
  }

  private forgetOldest(): void {
    const ended = [...this.jobs.values()].filter((job) => job.ended);
    for (const { id } of ended.slice(0, Math.max(0, ended.length - JOBS_KEPT_MAX)))
      this.jobs.delete(id);
  }
}

class Job {
  readonly id = randomUUID();
  readonly cancelling = new AbortController();
  readonly done = Promise.withResolvers<JobState>();
  private readonly createdAtMillis: number;
  private readonly meter: ProgressMeter;
  private state: JobState = 'queued';
  private startedAtMillis: number | undefined;
  private endedAtMillis: number | undefined;
  private result: object | undefined;
  private problem: JobProblem | undefined;

  constructor(
    readonly kind: string,
    readonly lane: JobLane,
    private readonly work: Work,
    readonly options: JobOptions & { readonly clock: MonotonicClock },
  ) {
    const { clock } = options;
    this.createdAtMillis = clock.nowMillis();
    this.meter = new ProgressMeter(clock);
  }

  get isUneventful(): boolean {
    const { state, result, options } = this;
    return state === 'succeeded' && result !== undefined && options.uneventful?.(result) === true;
  }

  get ended(): boolean {
    return this.endedAtMillis !== undefined;
  }

  /** Never throws: what happened is in the status. */
  async run(): Promise<void> {
    this.state = 'running';
    this.startedAtMillis = this.options.clock.nowMillis();
    const { signal } = this.cancelling;
    const progress = (done: number, total: number, unit: JobUnit): void =>
      this.meter.update(done, total, unit);
    try {
      this.result = await this.work({ signal, progress });
      this.end(signal.aborted ? 'cancelled' : 'succeeded');
    } catch (error) {
      // What it finds on its way out is no less true because it was to stop.
      const isStopped = signal.aborted && CANCELLED.has(errorCode(error) ?? '');
      if (!isStopped) this.problem = problemOf(error);
      this.end(isStopped ? 'cancelled' : 'failed');
    }
  }

  end(state: JobState): void {
    this.state = state;
    this.endedAtMillis = this.options.clock.nowMillis();
    this.done.resolve(state);
  }

  status(): JobStatus {
    const { id, kind, state, createdAtMillis, startedAtMillis, endedAtMillis } = this;
    const { result, problem } = this;
    const progress = this.meter.progress();
    return {
      ...{ id, kind, state, createdAtMillis, startedAtMillis, endedAtMillis },
      ...{ progress, result, problem },
    };
  }
}

function problemOf(error: unknown): JobProblem {
  return {
    code: errorCode(error) ?? 'UNKNOWN',
    message: errorMessage(error),
    details: error instanceof CodedError ? error.details : {},
  };
}

import { setTimeout as sleep } from 'node:timers/promises';
import { CodedError, type ErrorDetails } from '@holdfast/kernel';
import type { JobDto, DtoShape } from '@holdfast/administration';
import { bytesText, countText, durationText } from '../terminal/quantities.js';
import type { Terminal } from '../terminal/terminal.js';
import type { AdminAnswer, AdminClient } from './admin-client.js';

type Job = DtoShape<JobDto>;

const POLL_MILLIS_MIN = 20;
const POLL_MILLIS_MAX = 500;
const ENDED: ReadonlySet<string> = new Set(['succeeded', 'failed', 'cancelled']);

/**
 * Follows a job to its end, with a progress bar; its result. Ctrl-C asks it to stop, and waits until it has. Throws its problem under its own code,
 * and `JOB_CANCELLED`.
 */
export async function followJob(
  client: AdminClient,
  started: AdminAnswer,
  title: string,
  terminal: Terminal,
): Promise<Readonly<Record<string, unknown>>> {
  const path = started.location ?? `/admin/jobs/${String(started.body['id'])}`;
  const cancel = (): void => {
    terminal.note('Stopping at the next safe place …');
    client.post(`${path}/cancel`).catch((error: unknown) => terminal.failure(error));
  };
  process.once('SIGINT', cancel).once('SIGTERM', cancel);
  const bar = terminal.progress(`${title} {bar} {percentage}%  {amount}  {rate}  {left}`);
  try {
    const job = await ended(client, path, jobOf(started), (now) => show(now, bar));
    return resultOf(job);
  } finally {
    bar.stop();
    process.off('SIGINT', cancel).off('SIGTERM', cancel);
  }
}

async function ended(
  client: AdminClient,
  path: string,
  first: Job,
  onProgress: (job: Job) => void,
): Promise<Job> {
  let job = first;
  let pauseMillis = POLL_MILLIS_MIN;
  while (!ENDED.has(job.state)) {
    onProgress(job);
    await sleep(pauseMillis);
    pauseMillis = Math.min(POLL_MILLIS_MAX, pauseMillis * 1.5);
    job = jobOf(await client.get(path));
  }
  return job;
}

function show({ progress }: Job, bar: ReturnType<Terminal['progress']>): void {
  if (progress === undefined) return;
  const { done, total, unit, perSecond, secondsLeft } = progress;
  const text = unit === 'bytes' ? bytesText : (count: number) => `${countText(count)} ${unit}`;
  bar.update(done, total, {
    amount: `${text(Math.round(done))} of ${text(Math.round(total))}`,
    rate: `${text(Math.round(perSecond))}/s`,
    left: secondsLeft === undefined ? '' : `${durationText(secondsLeft * 1_000)} left`,
  });
}

function resultOf({ state, kind, result, problem }: Job): Readonly<Record<string, unknown>> {
  if (problem !== undefined) {
    // Details of ours are flat: numbers, names and places.
    throw new CodedError(problem.code, problem.message, problem.details as ErrorDetails);
  }
  if (state === 'cancelled')
    throw new CodedError('JOB_CANCELLED', `${kind} was cancelled; start it again to go on`);
  return { ...result };
}

/** The service is of this project and this version: what it answers about a job is one. */
function jobOf({ body }: AdminAnswer): Job {
  return body as DtoShape<JobDto> & AdminAnswer['body'];
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { WorkloadOptions } from './wal-workload.js';

export interface WorkloadOutcome {
  readonly submitted: readonly string[];
  readonly acknowledged: ReadonlyMap<string, { readonly first: number; readonly last: number }>;
  /** The code that the workload ended with, where it lived to say so. */
  readonly failed: string | undefined;
  readonly closed: boolean;
  readonly signal: NodeJS.Signals | null;
  readonly exitCode: number | null;
}

const PROGRAM = 'dist/test/crash/real/wal-workload.js';
const RUN_MILLIS_MAX = 60_000;

/** How a workload ended that ended without a word. */
export const BROKEN = 'BROKEN';

export interface RunningWorkload {
  readonly pid: number;
  /** What it said, once it has ended. Rejects when it hangs. */
  readonly outcome: Promise<WorkloadOutcome>;
  /** Resolves once so many batches were acknowledged, however slow the machine is. Rejects when the workload ends before. */
  readonly acknowledged: (batches: number) => Promise<void>;
}

/** Runs the workload to its end. */
export function runWorkload(
  options: WorkloadOptions,
  wrapper: readonly string[] = [],
  mayBreak = false,
): Promise<WorkloadOutcome> {
  return startWorkload(options, wrapper, mayBreak).outcome;
}

/** Starts the compiled workload in a process of its own, under `wrapper` if given (for example strace and its options). */
export function startWorkload(
  options: WorkloadOptions,
  wrapper: readonly string[] = [],
  /** Node itself may die of what the test does to it; then `failed` is `BROKEN`, and what was said before still counts. */
  mayBreak = false,
): RunningWorkload {
  const command = [...wrapper, process.execPath, PROGRAM, JSON.stringify(options)];
  const child = spawn(command[0] ?? '', command.slice(1), {
    env: { ...process.env, NODE_OPTIONS: '', UV_THREADPOOL_SIZE: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: Buffer[] = [];
  const errors: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
  const outcome = outcomeOf(child, (exitCode, signal) => {
    const said = parse(Buffer.concat(output).toString(), exitCode, signal);
    const isKilled = signal !== null || exitCode === 137;
    if (said.failed !== undefined || said.closed || isKilled) return said;
    if (mayBreak) return { ...said, failed: BROKEN };
    throw new Error(`the workload broke: ${Buffer.concat(errors).toString()}`);
  });
  // Whoever waits for acknowledgements first hears of a failure there.
  outcome.catch(() => undefined);
  return {
    pid: child.pid ?? 0,
    outcome,
    acknowledged: async (batches) => {
      const isThere = (): boolean => {
        const said = Buffer.concat(output).toString('latin1');
        return (said.match(/^acknowledged .*\n/gm)?.length ?? 0) >= batches;
      };
      const ended = outcome.then(({ failed }) => {
        if (!isThere()) throw new Error(`the workload ended before: ${failed ?? 'without a word'}`);
      });
      while (!isThere()) await Promise.race([once(child.stdout, 'data'), ended]);
    },
  };
}

async function outcomeOf(
  child: ChildProcess,
  conclude: (exitCode: number | null, signal: NodeJS.Signals | null) => WorkloadOutcome,
): Promise<WorkloadOutcome> {
  const timeout = setTimeout(() => child.kill('SIGKILL'), RUN_MILLIS_MAX);
  const started = performance.now();
  const [exitCode, signal] = await new Promise<[number | null, NodeJS.Signals | null]>(
    (resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, by) => resolve([code, by]));
    },
  );
  clearTimeout(timeout);
  if (performance.now() - started >= RUN_MILLIS_MAX)
    throw new Error(`the workload hung: ${child.spawnargs.join(' ')}`);
  return conclude(exitCode, signal);
}

function parse(
  output: string,
  exitCode: number | null,
  signal: NodeJS.Signals | null,
): WorkloadOutcome {
  const submitted: string[] = [];
  const acknowledged = new Map<string, { first: number; last: number }>();
  let failed: string | undefined;
  let closed = false;
  // A process that is killed while it writes leaves half a line: what counts ends with a line feed.
  for (const line of output.slice(0, output.lastIndexOf('\n') + 1).split('\n')) {
    const [word, name, first, last] = line.split(' ');
    if (word === 'submitted') submitted.push(name ?? '');
    if (word === 'acknowledged')
      acknowledged.set(name ?? '', { first: Number(first), last: Number(last) });
    if (word === 'failed') failed = name;
    if (word === 'closed') closed = true;
  }
  return { submitted, acknowledged, failed, closed, signal, exitCode };
}

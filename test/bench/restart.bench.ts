import { assert } from '@holdfast/kernel';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Child } from '../support/child.js';
import { Services } from '../support/services.js';
import { Filler } from './filler.js';
import { linePlot } from './line-plot.js';
import { type BenchContext, median, type ScenarioResult, type Suite } from './suite.js';

/** Events behind the checkpoint. */
const SIZES = [100_000, 1_000_000, 10_000_000];
const LARGEST_DEFAULT = 1_000_000;
/** Transfers after the checkpoint: what a start replays. Few enough not to be checkpointed on the way. */
const TAIL_TRANSFERS = 3_500;
const ACCOUNTS = 10_000;
/** Fewer and larger checkpoints than the service makes, so that ten million events are filled in in minutes. */
const FILLING_CHECKPOINT_ENTRIES = 60_000;
const RETRY_MILLIS = 5;
/** A service that dies so often before its state was read through once makes the state anew, which is another measurement. */
const UNVERIFIED_STARTS_MAX = 3;
const PATIENCE_MILLIS = 600_000;

/** A ledger whose write side was killed, with its history. */
interface History {
  readonly name: string;
  readonly services: Services;
  readonly restarts: Restart[];
}

interface Restart {
  readonly millis: number;
  readonly replayedBytes: number;
}

/**
 * Ledgers with more and more history, killed, and started again as the command service: how long until the first command is accepted, and how many
 * bytes of events were replayed for it. Neither may grow with the history. All are filled first; then they take turns, round by round.
 */
export const restartSuite: Suite = {
  name: 'restart',
  async run(context) {
    const sizes = SIZES.filter((size) => size <= (context.largest ?? LARGEST_DEFAULT));
    const histories: History[] = [];
    try {
      for (const size of sizes) histories.push(await historyOf(context, size));
      for (let round = 1; round <= context.rounds; round++)
        for (const history of histories) await restartIn(context, round, history);
    } finally {
      for (const { services } of histories) await services.remove();
    }
    const millis: Record<string, number[]> = {};
    const bytes: Record<string, number[]> = {};
    for (const { name, restarts } of histories) {
      millis[name] = restarts.map((restart) => restart.millis);
      bytes[name] = restarts.map((restart) => restart.replayedBytes);
    }
    const subject = Object.keys(millis).at(-1) ?? '';
    const scenarios: ScenarioResult[] = [
      {
        scenario: 'killed, then started: until the first accepted command',
        unit: 'ms',
        figures: millis,
        subject,
      },
      { scenario: 'replayed for it', unit: 'bytes', figures: bytes, subject },
    ];
    const points = sizes.map((x, at) => {
      const figures = Object.values(millis)[at] ?? [];
      return { x, y: median(figures), low: Math.min(...figures), high: Math.max(...figures) };
    });
    const svg = linePlot({
      title: 'From the start of the process to the first accepted command',
      xLabel: 'events behind the checkpoint',
      yLabel: 'milliseconds',
      series: [{ name: `median of ${context.rounds}`, points }],
    });
    return { name: 'restart', scenarios, plots: [{ name: 'restart', svg }] };
  },
};

async function historyOf(context: BenchContext, size: number): Promise<History> {
  const directory = join(context.directory, `restart-${size}`);
  const services = await Services.prepare(
    {
      HOLDFAST_LOG_LEVEL: 'info',
      // As by default: the small ones of the other tests would make a hundred thousand files of the largest log.
      HOLDFAST_WAL_SEGMENT_BYTES: '64MiB',
      HOLDFAST_WAL_FRAME_BYTES_MAX: '32MiB',
      // Nothing but the bytes of the tail makes a checkpoint.
      HOLDFAST_CHECKPOINT_SECONDS: '86400',
      HOLDFAST_SNAPSHOT_HOURS: '0',
    },
    directory,
  );
  try {
    await fill(context, services.dataDirectory, size);
    return { name: `${size.toLocaleString('en')} events`, services, restarts: [] };
  } catch (error) {
    await services.remove();
    throw error;
  }
}

async function restartIn(
  context: BenchContext,
  round: number,
  { name, services, restarts }: History,
): Promise<void> {
  context.progress(`${name}: start ${round} of ${context.rounds}`);
  const isRead = round % UNVERIFIED_STARTS_MAX === 0;
  restarts.push(await restart(services, `restart-${round}`, isRead));
}

async function fill(context: BenchContext, dataDirectory: string, size: number): Promise<void> {
  const filler = new Filler(dataDirectory, FILLING_CHECKPOINT_ENTRIES);
  const portion = Math.max(1_000, Math.round(size / 100 / 1_000) * 1_000);
  try {
    await filler.run({ kind: 'open' });
    let { position } = await filler.run({ kind: 'accounts', from: 0, to: ACCOUNTS });
    while (position < size) {
      ({ position } = await filler.run({ kind: 'transfers', accounts: ACCOUNTS, count: portion }));
      context.progress(`filling: ${position} of ${size} events`);
    }
    await filler.run({ kind: 'checkpoint' });
    await filler.run({ kind: 'transfers', accounts: ACCOUNTS, count: TAIL_TRANSFERS });
  } finally {
    await filler.kill();
  }
}

async function restart(services: Services, key: string, isRead: boolean): Promise<Restart> {
  const startedAt = performance.now();
  const service = services.spawn('command-service');
  await firstAccepted(services, service, key);
  const millis = performance.now() - startedAt;
  if (isRead) await verified(services);
  await service.end('SIGKILL');
  const opened = service.stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as { msg?: string; replayedBytes?: number })
    .find(({ msg }) => msg === 'the log is open');
  assert(opened?.replayedBytes !== undefined, 'the service says what it has replayed');
  return { millis, replayedBytes: opened.replayedBytes };
}

async function firstAccepted(services: Services, service: Child, key: string): Promise<void> {
  const url = `${services.commands}/v1/ledgers/main/transfers`;
  const body = JSON.stringify({
    legs: [
      { accountId: 'account-1', side: 'debit', amount: '1' },
      { accountId: 'account-2', side: 'credit', amount: '1' },
    ],
  });
  const headers = { 'content-type': 'application/json', 'idempotency-key': key };
  const giveUpAt = performance.now() + PATIENCE_MILLIS;
  for (;;) {
    const status = await fetch(url, { method: 'POST', headers, body })
      .then((answer) => answer.status)
      .catch(() => 0);
    if (status === 201) return;
    if (service.exit !== undefined || performance.now() > giveUpAt || status >= 400)
      assert(status === 503, `a command is accepted, not answered ${status}: ${service.output}`);
    await setTimeout(RETRY_MILLIS);
  }
}

async function verified(services: Services): Promise<void> {
  const giveUpAt = performance.now() + PATIENCE_MILLIS;
  while (performance.now() < giveUpAt) {
    const metrics = await fetch(`${services.commands}/metrics`).then((answer) => answer.text());
    if (/^holdfast_state_verified(\{[^}]*\})? 1$/m.test(metrics)) return;
    await setTimeout(100);
  }
  assert(false, 'the state is read through in the end');
}

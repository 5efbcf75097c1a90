import { join } from 'node:path';
import { defined } from '@holdfast/kernel';
import { Filler, type FillerReport } from './filler.js';
import { linePlot, type PlotPoint } from './line-plot.js';
import type { BenchContext, ScenarioResult, Suite } from './suite.js';

/** Accounts in the ledger. */
const SIZES = [10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 5_000_000, 10_000_000];
const LARGEST_DEFAULT = 300_000;
const PORTION_ACCOUNTS = 50_000;
const TRANSFERS = 10_000;
const MEBIBYTE = 1024 * 1024;

/**
 * One write side with more and more accounts: its own memory, and the rate of transfers between random accounts of all. Memory may grow up to what the
 * bounded cache takes, and no further.
 */
export const growthSuite: Suite = {
  name: 'growth',
  async run(context) {
    const sizes = SIZES.filter((size) => size <= (context.largest ?? LARGEST_DEFAULT));
    const filler = new Filler(join(context.directory, 'growth'));
    const held: Record<string, number[]> = {};
    const own: Record<string, number[]> = {};
    const mapped: Record<string, number[]> = {};
    const rates: Record<string, number[]> = {};
    try {
      await filler.run({ kind: 'open' });
      let filled = 0;
      for (const size of sizes) {
        await grow(context, filler, filled, size);
        filled = size;
        const name = `${size.toLocaleString('en')} accounts`;
        for (let round = 1; round <= context.rounds; round++) {
          context.progress(`${name}: round ${round} of ${context.rounds}`);
          const transfers = { kind: 'transfers', accounts: size, count: TRANSFERS } as const;
          const { millis } = await filler.run(transfers);
          const report = await filler.run({ kind: 'checkpoint' });
          (rates[name] ??= []).push((TRANSFERS * 1_000) / millis);
          const memory = defined(report.memory, 'the memory after a checkpoint');
          (held[name] ??= []).push(memory.held);
          (own[name] ??= []).push(memory.own);
          (mapped[name] ??= []).push(memory.mapped);
        }
      }
    } finally {
      await filler.kill();
    }
    const subject = Object.keys(own).at(-1) ?? '';
    const scenarios: ScenarioResult[] = [
      { scenario: 'memory of its own that it needs', unit: 'bytes', figures: own, subject },
      {
        scenario: 'memory of its own, with what V8 keeps for what comes next',
        unit: 'bytes',
        figures: held,
        subject,
      },
      {
        scenario: 'pages of the database in memory, which the kernel may take back',
        unit: 'bytes',
        figures: mapped,
        subject,
      },
      {
        scenario: 'transfers between random accounts, without HTTP',
        unit: '/s',
        figures: rates,
        subject,
      },
    ];
    const memory = linePlot({
      title: 'Memory of the write side',
      xLabel: 'accounts in the ledger',
      yLabel: 'MiB of its own',
      series: [
        { name: 'needed', points: pointsOf(sizes, own, 1 / MEBIBYTE) },
        { name: 'held, while transfers go on', points: pointsOf(sizes, held, 1 / MEBIBYTE) },
      ],
    });
    const rate = linePlot({
      title: 'Transfers between random accounts',
      xLabel: 'accounts in the ledger',
      yLabel: 'transfers a second',
      series: [{ name: `groups of 1,000, without HTTP`, points: pointsOf(sizes, rates, 1) }],
    });
    return {
      name: 'growth',
      scenarios,
      plots: [
        { name: 'memory', svg: memory },
        { name: 'growth', svg: rate },
      ],
    };
  },
};

async function grow(
  context: BenchContext,
  filler: Filler,
  from: number,
  to: number,
): Promise<FillerReport> {
  for (let at = from; at < to; at += PORTION_ACCOUNTS) {
    await filler.run({ kind: 'accounts', from: at, to: Math.min(to, at + PORTION_ACCOUNTS) });
    context.progress(`opening accounts: ${at} of ${to}`);
  }
  return filler.run({ kind: 'checkpoint' });
}

function pointsOf(
  sizes: readonly number[],
  figures: Readonly<Record<string, readonly number[]>>,
  scale: number,
): PlotPoint[] {
  return sizes.map((x, at) => {
    const values = (Object.values(figures)[at] ?? []).map((value) => value * scale);
    const sorted = [...values].sort((a, b) => a - b);
    const y = sorted[Math.floor(sorted.length / 2)] ?? 0;
    return { x, y, low: sorted[0] ?? 0, high: sorted.at(-1) ?? 0 };
  });
}

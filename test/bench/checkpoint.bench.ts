import { join } from 'node:path';
import { defined } from '@holdfast/kernel';
import { Filler } from './filler.js';
import { type BenchContext, interleaved, type ScenarioResult, type Suite } from './suite.js';
import type { Turns } from './turns.js';

const LARGEST_DEFAULT = 300_000;
/** No checkpoint is made but those that are asked for. */
const CHECKPOINT_ENTRIES = 60_000;
/** What each of them writes: as many as the service makes of it. */
const CHANGED_ENTRIES = 24_000;
const CONTENDERS = { without: false, 'while one is made': true };

/**
 * What a checkpoint does to the event loop: the turns of it while one is made and while none is, in a process with nothing else to do, which shows what the
 * checkpoint alone takes, and in one that commits groups of ten transfers.
 */
export const checkpointSuite: Suite = {
  name: 'checkpoint',
  async run(context) {
    const accounts = context.largest ?? LARGEST_DEFAULT;
    const filler = new Filler(join(context.directory, 'checkpoint'), CHECKPOINT_ENTRIES);
    try {
      await filler.run({ kind: 'open' });
      await filler.run({ kind: 'accounts', from: 0, to: accounts });
      await filler.run({ kind: 'checkpoint' });
      const idle = await turnsOf(context, filler, accounts, false);
      const loaded = await turnsOf(context, filler, accounts, true);
      return { name: 'checkpoint', scenarios: [...idle, ...loaded] };
    } finally {
      await filler.kill();
    }
  },
};

async function turnsOf(
  context: BenchContext,
  filler: Filler,
  accounts: number,
  isLoaded: boolean,
): Promise<ScenarioResult[]> {
  const beside = isLoaded ? 'commits of ten transfers' : 'nothing else to do';
  const longest: Record<string, number[]> = {};
  const measure = async (name: string, isCheckpointing: boolean): Promise<number> => {
    const { turns } = await filler.run({
      kind: 'turns',
      accounts,
      changedEntries: CHANGED_ENTRIES,
      isCheckpointing,
      isLoaded,
    });
    const seen: Turns = defined(turns, 'the turns of the event loop');
    (longest[name] ??= []).push(seen.longest);
    return seen.p99;
  };
  const measurements = Object.entries(CONTENDERS).map(
    ([name, isCheckpointing]) => [name, () => measure(name, isCheckpointing)] as const,
  );
  const p99 = await interleaved(
    context,
    `turns of the event loop, p99 by time, ${beside}`,
    'ms',
    'while one is made',
    Object.fromEntries(measurements),
  );
  return [
    p99,
    {
      scenario: `longest turn, ${beside}`,
      unit: 'ms',
      figures: longest,
      subject: 'while one is made',
    },
  ];
}

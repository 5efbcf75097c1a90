import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Services } from '../../support/services.js';
import type { BenchContext, ScenarioResult, Suite } from '../suite.js';
import { healthProcessorMillis, startProcessorMillis } from './starts.js';

const OURS = 'holdfast';
const BEFORE = 'holdfast before';
const UNIT = 'ms of processor time';

/** What a start costs until the process is ready, on an empty log, and what `holdfast health` costs. */
export const startsSuite: Suite = {
  name: 'starts',
  async run(context) {
    const { against } = context;
    const builds = [await prepare(context, OURS)];
    if (against !== undefined) builds.push(await prepare(context, BEFORE, against));
    const scenarios = new Map<string, ScenarioResult & { figures: Record<string, number[]> }>();
    const note = (scenario: string, contender: string, figure: number): void => {
      const result = scenarios.get(scenario) ?? {
        scenario,
        unit: UNIT,
        figures: {},
        subject: OURS,
      };
      (result.figures[contender] ??= []).push(figure);
      scenarios.set(scenario, result);
    };
    try {
      // The first starts find no compiled code, and files that nobody has read.
      for (const { services } of builds) await measured(services);
      for (let round = 1; round <= context.rounds; round++)
        for (const { name, services } of round % 2 === 1 ? builds : builds.toReversed()) {
          context.progress(`starts: ${name}, round ${round} of ${context.rounds}`);
          for (const [scenario, millis] of await measured(services)) note(scenario, name, millis);
        }
    } finally {
      for (const { services } of builds) await services.remove();
    }
    return { name: 'starts', scenarios: [...scenarios.values()] };
  },
};

async function prepare({ directory }: BenchContext, name: string, repository?: string) {
  const own = join(directory, name.replaceAll(' ', '-'));
  mkdirSync(own);
  return { name, services: await Services.prepare({}, own, repository) };
}

async function measured(services: Services): Promise<readonly (readonly [string, number])[]> {
  const whole = await startProcessorMillis(services, 'holdfast');
  await services.end('holdfast', 'SIGTERM');
  const start = await startProcessorMillis(services, 'command-service');
  const health = await healthProcessorMillis(services);
  await services.end('command-service', 'SIGTERM');
  return [
    ['start until ready, holdfast in one process', whole],
    ['start until ready, command-service', start],
    ['holdfast health', health],
  ];
}

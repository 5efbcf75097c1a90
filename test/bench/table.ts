import { median, type ScenarioResult, type SuiteResult } from './suite.js';

/** Medians with minimum and maximum, and how the subject stands to each other contender, round by round. */
export function printSuite(result: SuiteResult): void {
  console.log(`\n${result.name}\n`);
  for (const scenario of result.scenarios) printScenario(scenario);
}

function printScenario({ scenario, unit, figures, subject }: ScenarioResult): void {
  console.log(`  ${scenario} (${unit})`);
  const own = figures[subject] ?? [];
  for (const [name, values] of Object.entries(figures)) {
    const spread = `${short(Math.min(...values))} … ${short(Math.max(...values))}`;
    const ratio = name === subject ? '' : `${subject} is ${ratioText(own, values)}`;
    console.log(
      `    ${name.padEnd(26)} ${short(median(values)).padStart(8)}   ${spread.padEnd(20)} ${ratio}`,
    );
  }
  console.log('');
}

function ratioText(own: readonly number[], other: readonly number[]): string {
  const ratios = own.map((value, round) => ratio(value, other[round] ?? NaN));
  const [low, high] = [Math.min(...ratios), Math.max(...ratios)];
  return `${median(ratios).toFixed(2)} × (${low.toFixed(2)} … ${high.toFixed(2)})`;
}

function short(value: number): string {
  if (value >= 1e9) return `${(value / 1e9).toFixed(2)}G`;
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)}M`;
  if (value >= 1e3) return `${(value / 1e3).toFixed(1)}k`;
  return value.toFixed(value < 10 ? 2 : 0);
}

function ratio(value: number, other: number): number {
  // Two zeros are alike.
  return value === other ? 1 : value / other;
}

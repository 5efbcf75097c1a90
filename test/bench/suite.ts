export interface BenchContext {
  /** Empty at first, on the disk to be measured; removed afterwards. */
  readonly directory: string;
  /** How long one measurement takes. */
  readonly seconds: number;
  /** The contenders take turns this many times. */
  readonly rounds: number;
  /** For suites that grow: how far. */
  readonly largest?: number;
  /** Another checkout, built, that takes turns with this one, for the suite that can. */
  readonly against?: string;
  readonly progress: (text: string) => void;
}

export interface Suite {
  readonly name: string;
  run(context: BenchContext): Promise<SuiteResult>;
}

export interface SuiteResult {
  readonly name: string;
  readonly scenarios: readonly ScenarioResult[];
  /** Written beside the figures, as `<date>-<name>.svg`. */
  readonly plots?: readonly { readonly name: string; readonly svg: string }[];
}

export interface ScenarioResult {
  readonly scenario: string;
  readonly unit: string;
  /** Contender → one figure a round, in the order of the rounds. */
  readonly figures: Readonly<Record<string, readonly number[]>>;
  /** The contender that the others are compared with. */
  readonly subject: string;
}

/** One measurement of one contender: opens what it needs, measures for the time given, cleans up, and returns a rate. */
export type Measurement = () => Promise<number>;

/** Rounds in which the contenders take turns, so that a machine that slows down slows all of them. */
export async function interleaved(
  context: BenchContext,
  scenario: string,
  unit: string,
  subject: string,
  contenders: Readonly<Record<string, Measurement>>,
): Promise<ScenarioResult> {
  const figures: Record<string, number[]> = {};
  for (let round = 1; round <= context.rounds; round++) {
    for (const [name, measure] of Object.entries(contenders)) {
      context.progress(`${scenario}: ${name}, round ${round} of ${context.rounds}`);
      (figures[name] ??= []).push(await measure());
    }
  }
  return { scenario, unit, figures, subject };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? NaN)) / 2;
}

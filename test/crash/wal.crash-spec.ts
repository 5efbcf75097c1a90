import { afterAll, describe, expect, it } from '@jest/globals';
import { type CrashState, crashStates } from './crash-states.js';
import { WORKLOADS } from './crash-workloads.js';
import { checkCrashesDuringRecovery, checkRecovery, promisedBy } from './log-oracle.js';
import { RecordedRun } from './recorded-run.js';

/**
 * Power cuts at every point of recorded runs, on a simulated disk. Supports the claims: what was acknowledged is there, what was not is absent or
 * whole, and an ordinary power cut never makes a log refuse to open.
 *
 * HOLDFAST_CRASH_SEED=17 plays one seed again and cuts its writes at every sector, HOLDFAST_CRASH_POINT=54 only the power cuts after that operation of it;
 * HOLDFAST_CRASH_SEEDS=500 plays the seeds 1 to 500 so.
 */
const replayedSeed = process.env['HOLDFAST_CRASH_SEED'];
const replayedPoint = process.env['HOLDFAST_CRASH_POINT'];
const seedCount = process.env['HOLDFAST_CRASH_SEEDS'];
const isThorough = replayedSeed !== undefined || seedCount !== undefined;

/** The short form: many short runs of each workload, a part of the states of each. */
const DISTINCT_STATES_MIN = 20_000;
const STATES_OF_WORKLOAD = Math.ceil(DISTINCT_STATES_MIN / Object.keys(WORKLOADS).length);
const STATES_OF_RUN_MAX = isThorough ? Infinity : 100;
const CUTS_MAX = isThorough ? Infinity : 3;
const RECOVERY_EVERY_NTH = replayedPoint !== undefined ? 1 : isThorough ? 40 : 60;
const RECOVERY_STATES_EVERY_NTH = replayedPoint !== undefined ? 1 : isThorough ? 3 : 9;
const TIMEOUT_MILLIS = isThorough ? 3_600_000 : 300_000;

describe('a power cut at any point', () => {
  const distinct = new Set<string>();
  const totals = { runs: 0, states: 0, recoveries: 0 };

  afterAll(() => {
    process.stdout.write(
      `crash states: ${distinct.size} distinct ones, ${totals.states} of ${totals.runs} runs and ${totals.recoveries} of recoveries\n`,
    );
  });

  it.each(Object.entries(WORKLOADS))(
    'loses nothing promised and raises no alarm: %s',
    async (name, workload) => {
      let done = 0;
      for (const seed of seeds(() => done < STATES_OF_WORKLOAD)) {
        const run = new RecordedRun(seed);
        await workload(run);
        totals.runs++;
        const states = statesOf(run);
        await run.end();
        expect(promisedBy(states.at(-1)?.marks ?? [])).toBeGreaterThan(0);
        for (const state of chosen(states)) {
          try {
            await checkRecovery(state, run);
            distinct.add(`${name} ${seed} ${state.hash}`);
            done++;
            if (++totals.states % RECOVERY_EVERY_NTH !== 0) continue;
            const options = { seed, everyNth: RECOVERY_STATES_EVERY_NTH };
            const inner = await checkCrashesDuringRecovery(state, run, options);
            for (const hash of inner) distinct.add(`${name} ${seed} recovery ${hash}`);
            totals.recoveries += inner.length;
          } catch (error) {
            throw new Error(
              `'${name}', seed ${seed}: power cut after operation ${state.point} with ${state.label} on the disk: ${String(error)}\n` +
                `Again: HOLDFAST_CRASH_SEED=${seed} HOLDFAST_CRASH_POINT=${state.point} npm run test:crash -- --testPathPatterns wal.crash-spec -t '${name}'`,
              { cause: error },
            );
          }
        }
      }
    },
    TIMEOUT_MILLIS,
  );

  (isThorough ? it.skip : it)(`was tried in ${DISTINCT_STATES_MIN} distinct states`, () => {
    expect(distinct.size).toBeGreaterThanOrEqual(DISTINCT_STATES_MIN);
  });
});

function* seeds(isWanted: () => boolean): Generator<number> {
  if (replayedSeed !== undefined) yield Number(replayedSeed);
  else if (seedCount !== undefined)
    for (let seed = 1; seed <= Number(seedCount); seed++) yield seed;
  else for (let seed = 1; isWanted(); seed++) yield seed;
}

function statesOf(run: RecordedRun): CrashState[] {
  const states = [...crashStates(run.disk, { seed: run.seed, cutsMax: CUTS_MAX })];
  if (replayedPoint === undefined) return states;
  return states.filter(({ point }) => point === Number(replayedPoint));
}

/** Spread over the run. */
function* chosen(states: readonly CrashState[]): Generator<CrashState> {
  const stride = Math.max(1, states.length / STATES_OF_RUN_MAX);
  for (let at = 0; at < states.length; at += stride) {
    const state = states[Math.floor(at)];
    if (state !== undefined) yield state;
  }
}

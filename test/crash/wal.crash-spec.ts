import { afterAll, describe, expect, it } from '@jest/globals';
import { crashStates } from './crash-states.js';
import { WORKLOADS } from './crash-workloads.js';
import { checkCrashesDuringRecovery, checkRecovery, promisedBy } from './log-oracle.js';
import { RecordedRun } from './recorded-run.js';

/**
 * Power cuts at every point of recorded runs, on a simulated disk. Supports the claims: what was acknowledged is there, what was not is absent or
 * whole, and an ordinary power cut never makes a log refuse to open.
 *
 * HOLDFAST_CRASH_SEED=17 plays one seed again, HOLDFAST_CRASH_SEEDS=500 plays that many from 1 on; with either, writes are cut at every sector.
 */
const replayed = process.env['HOLDFAST_CRASH_SEED'];
const seedCount = Number(process.env['HOLDFAST_CRASH_SEEDS'] ?? 2);
const thorough = replayed !== undefined || process.env['HOLDFAST_CRASH_SEEDS'] !== undefined;
const SEEDS =
  replayed === undefined
    ? Array.from({ length: seedCount }, (_, at) => at + 1)
    : [Number(replayed)];
/** Without being asked for more, a workload gets so many states, spread over its run. */
const STATES_MAX = thorough ? Infinity : 60;
const RECOVERY_EVERY_NTH = thorough ? 40 : 50;

describe('a power cut at any point', () => {
  const totals = { runs: 0, states: 0, recoveries: 0 };

  afterAll(() => {
    process.stdout.write(
      `crash states: ${totals.states} of ${totals.runs} runs, and ${totals.recoveries} during recovery; seeds ${SEEDS.join(' ')}\n`,
    );
  });

  it.each(Object.entries(WORKLOADS))(
    'loses nothing promised and raises no alarm: %s',
    async (name, workload) => {
      for (const seed of SEEDS) {
        const run = new RecordedRun(seed);
        await workload(run);
        totals.runs++;
        const states = [...crashStates(run.disk, { seed, cutsMax: thorough ? Infinity : 4 })];
        await run.end();
        expect(promisedBy(states.at(-1)?.marks ?? [])).toBeGreaterThan(0);
        const stride = Math.max(1, states.length / STATES_MAX);
        for (let at = 0; at < states.length; at += stride) {
          const state = states[Math.floor(at)]!;
          totals.states++;
          try {
            await checkRecovery(state, run);
            if (totals.states % RECOVERY_EVERY_NTH === 0)
              totals.recoveries += await checkCrashesDuringRecovery(state, run, {
                seed,
                everyNth: thorough ? 3 : 9,
              });
          } catch (error) {
            throw new Error(
              `'${name}', seed ${seed}: power cut after operation ${state.point} with ${state.label} on the disk: ${String(error)}\n` +
                `Again: HOLDFAST_CRASH_SEED=${seed} npm run test:crash -- --testPathPatterns wal.crash-spec -t '${name}'`,
              { cause: error },
            );
          }
        }
      }
    },
    thorough ? 3_600_000 : 120_000,
  );
});

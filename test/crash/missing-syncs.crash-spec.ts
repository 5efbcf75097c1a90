import { describe, expect, it } from '@jest/globals';
import { type Fault, LOG } from '@holdfast/wal/testing';
import { crashStates } from './crash-states.js';
import { type Workload, WORKLOADS } from './crash-workloads.js';
import { checkRecovery } from './log-oracle.js';
import { RecordedRun } from './recorded-run.js';

/**
 * The test of the tester: with one of the syncs of the log taken away, some power cut must break a promise, and the oracle must see it. A sync
 * whose loss nobody notices is either not needed or not tested.
 */
const lying = (operation: 'data-sync' | 'sync-directory', path: RegExp, rest = {}): Fault => ({
  operation,
  path,
  effect: { kind: 'lying-sync' },
  ...rest,
});

/** An open file keeps the name that it was made under. */
const FIRST_SEGMENT = /next-1-1\./;
const DIRECTORY = new RegExp(`^${LOG}$`);
/** Of the log's directory while it is made: twice for the claim, twice for MANIFEST, once for the segment. */
const DIRECTORY_SYNCS_OF_MAKING = 5;

const MISSING: [what: string, workload: string, fault: Fault][] = [
  ['of frames', 'a log is made', lying('data-sync', FIRST_SEGMENT, { skip: 2 })],
  [
    'of a segment header',
    'a log is made',
    lying('data-sync', FIRST_SEGMENT, { skip: 1, times: 1 }),
  ],
  [
    'of the predecessor and of frames, where the mode is interval',
    'rotations in interval mode',
    lying('data-sync', FIRST_SEGMENT, { skip: 2 }),
  ],
  ['of MANIFEST', 'a log is made', lying('data-sync', /MANIFEST.*\.tmp$/)],
  ['of FLOORS', 'floors are set and dropped', lying('data-sync', /FLOORS-\d+\.tmp$/)],
  [
    'of frames that recovery found',
    'a failed sync, a restart on the page cache, then service',
    lying('data-sync', /\.wal$/),
  ],
  ['of the directory in which the log is', 'a log is made', lying('sync-directory', /^\/data$/)],
  ['of the directory in which that is', 'a log is made', lying('sync-directory', /^$|^\/$/)],
  ['of the directory, always', 'a log is made', lying('sync-directory', DIRECTORY)],
  [
    'of the directory after the name of the first segment',
    'a log is made',
    lying('sync-directory', DIRECTORY, { skip: 3 }),
  ],
  [
    'of the directory after the name of the next segment',
    'rotations, footers, a reader',
    lying('sync-directory', DIRECTORY, { skip: DIRECTORY_SYNCS_OF_MAKING, times: 1 }),
  ],
];

describe('a missing sync is noticed', () => {
  it.each(MISSING)('%s', async (_, name, fault) => {
    const failure = await firstFailure(WORKLOADS[name]!, [fault]);
    expect(failure).toBeDefined();
  });

  it('and so is an acknowledgement before the sync', async () => {
    const failure = await firstFailure(async (run) => {
      const wal = await run.open({ durability: 'none' });
      for (let round = 0; round < 2; round++) {
        await run.append(wal);
        run.learn({ acknowledged: wal.lastSequence });
      }
    }, []);
    expect(failure).toBeDefined();
  });

  it('and nothing is where nothing is missing', async () => {
    const failure = await firstFailure(WORKLOADS['a log is made']!, []);
    expect(failure).toBeUndefined();
  });
});

const STATES_MAX = 400;

async function firstFailure(workload: Workload, faults: Fault[]): Promise<unknown> {
  const run = new RecordedRun(1, faults);
  await workload(run);
  const states = [...crashStates(run.disk, { seed: 1, cutsMax: 1 })];
  await run.end();
  const stride = Math.max(1, states.length / STATES_MAX);
  // From the end: most of what a missing sync takes away shows there.
  for (let at = states.length - 1; at >= 0; at -= stride) {
    try {
      await checkRecovery(states[Math.floor(at)]!, run);
    } catch (error) {
      return error;
    }
  }
  return undefined;
}

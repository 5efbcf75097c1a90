import { describe, expect, it } from '@jest/globals';
import { type Fault, LOG } from '@holdfast/wal/testing';
import { checkEveryCrash } from './maintenance-oracle.js';
import { type Maintenance, MAINTENANCE } from './maintenance-workloads.js';
import { RecordedRun } from './recorded-run.js';

/**
 * Power cuts at every point while segments are removed, archived, compacted, backed up and restored. Supports the claims: a crash leaves a log that opens; nothing
 * is gone but what was below every floor and asked for, or named by a policy; what the archive has is readable; the last complete backup restores; a
 * restore that was cut short is never taken for a log; and each work goes on after the crash.
 */
const SEED_COUNT = Number(process.env['HOLDFAST_CRASH_SEEDS'] ?? 1);
const SEEDS = Array.from({ length: SEED_COUNT }, (_, at) => at + 1);
const STATES_MAX = process.env['HOLDFAST_CRASH_SEEDS'] === undefined ? 120 : Infinity;
const MUTANT_STATES_MAX = 600;

const lying = (operation: Fault['operation'], path: RegExp, rest: Partial<Fault> = {}): Fault => ({
  ...{ operation, path, effect: { kind: 'lying-sync' } },
  ...rest,
});

const DIRECTORY = new RegExp(`^${LOG}$`);
const MISSING: [sync: string, work: string, fault: Fault][] = [
  [
    'of the directory behind MANIFEST',
    'removal of segments',
    lying('sync-directory', DIRECTORY, { skip: 1 }),
  ],
  ['of MANIFEST', 'removal of segments', lying('data-sync', /MANIFEST.*\.tmp$/)],
  ['of an archived file', 'archive and removal', lying('data-sync', /\.walz.*\.tmp$/)],
  ['of the directory', 'archive and removal', lying('sync-directory', /^\/archive$/)],
  ['of a rewritten segment', 'compaction', lying('data-sync', /compact-.*\.tmp$/)],
  ['of MANIFEST', 'compaction', lying('data-sync', /MANIFEST.*\.tmp$/)],
  ['of the directory, always', 'compaction', lying('sync-directory', DIRECTORY)],
  [
    'of the directory before MANIFEST',
    'compaction',
    lying('sync-directory', DIRECTORY, { times: 1 }),
  ],
  ['of a copied segment', 'backups', lying('data-sync', /\.walz.*\.tmp$/)],
  ['of the growing segment', 'backups', lying('data-sync', /tail-.*\.tmp$/)],
  ['of BACKUP', 'backups', lying('data-sync', /BACKUP\.tmp$/)],
  ['of the directory of its segments', 'backups', lying('sync-directory', /backup\/segments$/)],
  ['of the directory', 'backups', lying('sync-directory', /^\/backup$/)],
  ['of a segment', 'a restore', lying('data-sync', /restored\/.*\.wal\.tmp$/)],
  ['of the directory', 'a restore', lying('sync-directory', /^\/restored$/)],
];

describe('a power cut during work on segments', () => {
  const cases = Object.entries(MAINTENANCE).flatMap(([name, work]) =>
    SEEDS.map((seed) => [name, seed, work] as const),
  );

  it.each(cases)('%s, seed %d', async (_, seed, work) => {
    expect(await crashes(work, { seed, statesMax: STATES_MAX })).toBeGreaterThan(20);
  });
});

describe('a missing sync is noticed', () => {
  it.each(MISSING)('%s: %s', async (_, name, fault) => {
    const work = MAINTENANCE[name]!;
    const checks = crashes(work, { seed: 1, statesMax: MUTANT_STATES_MAX, fault });
    await expect(checks).rejects.toThrow('power cut');
  });
});

async function crashes(
  work: Maintenance,
  { seed, statesMax, fault }: { seed: number; statesMax: number; fault?: Fault },
): Promise<number> {
  const run = new RecordedRun(seed);
  const fromPoint = await work.play(run, fault);
  return checkEveryCrash(run, {
    statesMax,
    fromPoint,
    check: (state) => work.check(state, run),
  });
}

import { describe, expect, it } from '@jest/globals';
import type { Sequence, Wal } from '@holdfast/wal';
import { type Fault, LOG } from '@holdfast/wal/testing';
import { checkEveryCrash, checkMaintained, type MaintenanceOptions } from './maintenance-oracle.js';
import { RecordedRun } from './recorded-run.js';

/**
 * Power cuts at every point while sealed segments are rewritten. Supports the claim: every record that the policy does not let go is there after the crash, at its
 * sequence, and compaction goes on.
 */
const SEEDS = Array.from(
  { length: Number(process.env['HOLDFAST_CRASH_SEEDS'] ?? 1) },
  (_, at) => at + 1,
);
const STATES_MAX = process.env['HOLDFAST_CRASH_SEEDS'] === undefined ? 150 : Infinity;

const mayBeDropped = (sequence: number): boolean => sequence % 4 !== 0;

describe('a power cut while segments are compacted', () => {
  it.each(SEEDS)('leaves every record that was to stay: seed %d', async (seed) => {
    const run = new RecordedRun(seed);
    const fromPoint = await compactions(run);
    const checked = await checkEveryCrash(run, {
      statesMax: STATES_MAX,
      fromPoint,
      check: (state) => checkMaintained(state, run, { mayBeDropped, check: compactsTheRest }),
    });
    expect(checked).toBeGreaterThan(30);
  });

  it.each<[string, Fault]>([
    [
      'of a rewritten segment',
      { operation: 'data-sync', path: /compact-.*\.tmp$/, effect: { kind: 'lying-sync' } },
    ],
    [
      'of MANIFEST',
      { operation: 'data-sync', path: /MANIFEST.*\.tmp$/, effect: { kind: 'lying-sync' } },
    ],
    [
      'of the directory',
      { operation: 'sync-directory', path: new RegExp(`^${LOG}$`), effect: { kind: 'lying-sync' } },
    ],
    [
      'of the directory between the new name and MANIFEST',
      {
        operation: 'sync-directory',
        path: new RegExp(`^${LOG}$`),
        times: 1,
        effect: { kind: 'lying-sync' },
      },
    ],
  ])('and a missing sync %s is noticed', async (_, fault) => {
    const run = new RecordedRun(1);
    const fromPoint = await compactions(run, fault);
    const checks = checkEveryCrash(run, {
      statesMax: 600,
      fromPoint,
      check: (state) => checkMaintained(state, run, { mayBeDropped, check: compactsTheRest }),
    });
    await expect(checks).rejects.toThrow('power cut');
  });
});

async function compactions(run: RecordedRun, fault?: Fault): Promise<number> {
  const wal = await run.open();
  await fill(run, wal, 2);
  const fromPoint = run.disk.operations.length;
  if (fault !== undefined) run.system.faults.plan(fault);
  await compact(wal, (sequence) => sequence % 4 === 1);
  await run.append(wal);
  await compact(wal, mayBeDropped);
  await run.append(wal);
  await run.close(wal);
  return fromPoint;
}

async function compact(wal: Wal, drop: (sequence: number) => boolean): Promise<void> {
  const below = (wal.durableSequence + 1) as Sequence;
  await wal.compact({ below, drop, savedFractionMin: 0 });
}

const compactsTheRest: Required<MaintenanceOptions>['check'] = async (wal) => {
  await compact(wal, mayBeDropped);
  const { problems } = await wal.verify();
  if (problems.length > 0) throw new Error(`verify: ${JSON.stringify(problems)}`);
};

async function fill(run: RecordedRun, wal: Wal, rotations: number): Promise<void> {
  const target = wal.stats().rotations + rotations;
  while (wal.stats().rotations < target) await run.append(wal, { records: 12 });
}

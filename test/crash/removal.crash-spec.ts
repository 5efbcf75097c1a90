import { describe, expect, it } from '@jest/globals';
import type { Sequence, Wal } from '@holdfast/wal';
import { type Fault, LOG } from '@holdfast/wal/testing';
import { checkEveryCrash, checkMaintained } from './maintenance-oracle.js';
import { RecordedRun } from './recorded-run.js';

/**
 * Power cuts at every point of the removal of segments. Supports the claim: a crash leaves a log that opens, and nothing is gone but what was below every floor and
 * below what was asked for.
 */
const SEEDS = Array.from(
  { length: Number(process.env['HOLDFAST_CRASH_SEEDS'] ?? 2) },
  (_, at) => at + 1,
);
const STATES_MAX = process.env['HOLDFAST_CRASH_SEEDS'] === undefined ? 120 : Infinity;

describe('a power cut while segments are removed', () => {
  it.each(SEEDS)('leaves all that was not to go, and a log that opens: seed %d', async (seed) => {
    const run = new RecordedRun(seed);
    const fromPoint = await removals(run);
    const checked = await checkEveryCrash(run, {
      statesMax: STATES_MAX,
      fromPoint,
      check: (state) => checkMaintained(state, run),
    });
    expect(checked).toBeGreaterThan(20);
  });

  it.each<[string, Fault]>([
    [
      'of the directory behind MANIFEST',
      {
        operation: 'sync-directory',
        path: new RegExp(`^${LOG}$`),
        skip: 1,
        effect: { kind: 'lying-sync' },
      },
    ],
    [
      'of MANIFEST',
      { operation: 'data-sync', path: /MANIFEST.*\.tmp$/, effect: { kind: 'lying-sync' } },
    ],
  ])('and a missing sync %s is noticed', async (_, fault) => {
    const run = new RecordedRun(1);
    const fromPoint = await removals(run, fault);
    const checks = checkEveryCrash(run, {
      statesMax: Infinity,
      fromPoint,
      check: (state) => checkMaintained(state, run),
    });
    await expect(checks).rejects.toThrow('power cut');
  });
});

/** Fills segments, then removes twice, with a floor in the way of the first removal. Returns the point where the first one begins. */
async function removals(run: RecordedRun, fault?: Fault): Promise<number> {
  const wal = await run.open();
  await fill(run, wal, 3);
  const fromPoint = run.disk.operations.length;
  if (fault !== undefined) run.system.faults.plan(fault);
  const [, second, third] = segmentsOf(wal);
  wal.floors.set('slow', second as Sequence);
  await remove(run, wal, second!);
  wal.floors.drop('slow');
  await run.append(wal);
  await remove(run, wal, third! + 1);
  await run.append(wal);
  await run.close(wal);
  return fromPoint;
}

async function remove(run: RecordedRun, wal: Wal, below: number): Promise<void> {
  run.disk.mark({ removedBelow: wal.planRemoval({ below: below as Sequence }).firstSequence });
  await wal.removeSegments({ below: below as Sequence });
}

async function fill(run: RecordedRun, wal: Wal, rotations: number): Promise<void> {
  const target = wal.stats().rotations + rotations;
  while (wal.stats().rotations < target) await run.append(wal, { records: 12 });
}

function segmentsOf(wal: Wal): number[] {
  const all = { below: (wal.lastSequence + 1) as Sequence };
  return wal.planRemoval(all).segments.map(({ firstSequence }) => firstSequence);
}

import { describe, expect, it } from '@jest/globals';
import { ArchiveDirectory, type Sequence, type Wal } from '@holdfast/wal';
import { type Fault, type SimulatedFileSystem } from '@holdfast/wal/testing';
import { checkEveryCrash, checkMaintained } from './maintenance-oracle.js';
import { RecordedRun } from './recorded-run.js';

/**
 * Power cuts at every point while segments are archived and then removed from the log. Supports the claim: every record stays readable from the first to the last,
 * from the log or from the archive, and archiving goes on after the crash.
 */
const SEEDS = Array.from(
  { length: Number(process.env['HOLDFAST_CRASH_SEEDS'] ?? 1) },
  (_, at) => at + 1,
);
const STATES_MAX = process.env['HOLDFAST_CRASH_SEEDS'] === undefined ? 150 : Infinity;
const ARCHIVE = '/archive';

const archiveOn = (system: SimulatedFileSystem): ArchiveDirectory =>
  ArchiveDirectory.open(ARCHIVE, { create: true, fileSystem: system });

describe('a power cut while segments are archived and removed', () => {
  it.each(SEEDS)('leaves every record readable, and archiving goes on: seed %d', async (seed) => {
    const run = new RecordedRun(seed);
    const fromPoint = await archivals(run);
    const checked = await checkEveryCrash(run, {
      statesMax: STATES_MAX,
      fromPoint,
      check: (state) => checkMaintained(state, run, { archive: archiveOn, check: archivesTheRest }),
    });
    expect(checked).toBeGreaterThan(30);
  });

  it.each<[string, Fault]>([
    [
      'of an archived file',
      { operation: 'data-sync', path: /\.walz\.tmp$/, effect: { kind: 'lying-sync' } },
    ],
    [
      'of the directory of the archive',
      { operation: 'sync-directory', path: /^\/archive$/, effect: { kind: 'lying-sync' } },
    ],
  ])('and a missing sync %s is noticed', async (_, fault) => {
    const run = new RecordedRun(1);
    const fromPoint = await archivals(run, fault);
    const checks = checkEveryCrash(run, {
      statesMax: 400,
      fromPoint,
      check: (state) => checkMaintained(state, run, { archive: archiveOn, check: archivesTheRest }),
    });
    await expect(checks).rejects.toThrow('power cut');
  });
});

async function archivals(run: RecordedRun, fault?: Fault): Promise<number> {
  const archive = archiveOn(run.system);
  const wal = await run.open({ archive });
  await fill(run, wal, 2);
  const fromPoint = run.disk.operations.length;
  if (fault !== undefined) run.system.faults.plan(fault);
  await wal.archiveSealed();
  await wal.removeSegments({ below: wal.durableSequence });
  await fill(run, wal, 1);
  await wal.archiveSealed();
  await wal.removeSegments({ below: wal.durableSequence });
  await run.append(wal);
  await run.close(wal);
  return fromPoint;
}

/** Whatever the crash left, archiving and removing may be asked for again, and nothing is lost by it. */
async function archivesTheRest(wal: Wal): Promise<void> {
  await wal.archiveSealed();
  await wal.removeSegments({ below: wal.durableSequence });
  if (wal.firstSequence !== 1) throw new Error(`begins at ${wal.firstSequence}`);
  if ((await wal.scan(0 as Sequence, () => undefined)) !== wal.lastSequence)
    throw new Error('ends early');
}

async function fill(run: RecordedRun, wal: Wal, rotations: number): Promise<void> {
  const target = wal.stats().rotations + rotations;
  while (wal.stats().rotations < target) await run.append(wal, { records: 12 });
}

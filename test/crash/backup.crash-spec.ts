import { describe, expect, it } from '@jest/globals';
import { restoreLog, type Sequence, verifyBackup, type Wal } from '@holdfast/wal';
import { type DiskImage, type Fault, LOG, SimulatedFileSystem } from '@holdfast/wal/testing';
import type { CrashState } from './crash-states.js';
import { checkEveryCrash, checkMaintained } from './maintenance-oracle.js';
import { RecordedRun } from './recorded-run.js';

/**
 * Power cuts at every point of a backup and of a restore. Supports the claims: whatever a crash leaves, the last complete backup restores to what it was made of, the next one goes on; the
 * log itself loses nothing; and a restore that was cut short is never taken for a log.
 */
const STATES_MAX = process.env['HOLDFAST_CRASH_SEEDS'] === undefined ? 150 : Infinity;
const BACKUP = '/backup';
const RESTORED = '/restored';

/** What a run says of its backups: this much, at least, can be restored. */
interface BackedUp {
  readonly backedUp?: number;
}

describe('a power cut while a backup is made', () => {
  it('leaves the last complete one, which verifies and restores, and the next one goes on', async () => {
    const run = new RecordedRun(1);
    const fromPoint = await backups(run);
    const checked = await checkEveryCrash(run, {
      statesMax: STATES_MAX,
      fromPoint,
      check: (state) => checkBackup(state, run),
    });
    expect(checked).toBeGreaterThan(30);
  });

  it.each<[string, Fault]>([
    [
      'of a copied segment',
      { operation: 'data-sync', path: /\.walz\.tmp$/, effect: { kind: 'lying-sync' } },
    ],
    [
      'of the growing segment',
      { operation: 'data-sync', path: /tail-.*\.tmp$/, effect: { kind: 'lying-sync' } },
    ],
    ['of BACKUP', { operation: 'data-sync', path: /BACKUP\.tmp$/, effect: { kind: 'lying-sync' } }],
    [
      'of the directory of its segments',
      { operation: 'sync-directory', path: /backup\/segments$/, effect: { kind: 'lying-sync' } },
    ],
    [
      'of its directory',
      { operation: 'sync-directory', path: /^\/backup$/, effect: { kind: 'lying-sync' } },
    ],
  ])('and a missing sync %s is noticed', async (_, fault) => {
    const run = new RecordedRun(1);
    const fromPoint = await backups(run, fault);
    const checks = checkEveryCrash(run, {
      statesMax: 400,
      fromPoint,
      check: (state) => checkBackup(state, run),
    });
    await expect(checks).rejects.toThrow('power cut');
  });
});

describe('a power cut while a log is restored', () => {
  it('leaves what is refused, or the whole', async () => {
    const run = new RecordedRun(1);
    await backups(run);
    const fromPoint = run.disk.operations.length;
    const { lastSequence } = await restoreLog(BACKUP, RESTORED, { fileSystem: run.system });
    run.disk.mark({ restored: lastSequence });
    const checked = await checkEveryCrash(run, {
      statesMax: STATES_MAX,
      fromPoint,
      check: (state) => checkRestored(state, run, lastSequence),
    });
    expect(checked).toBeGreaterThan(10);
  });

  it.each<[string, Fault]>([
    [
      'of a segment',
      { operation: 'data-sync', path: /restored\/.*\.wal\.tmp$/, effect: { kind: 'lying-sync' } },
    ],
    [
      'of its directory',
      { operation: 'sync-directory', path: /^\/restored$/, effect: { kind: 'lying-sync' } },
    ],
  ])('and a missing sync %s is noticed', async (_, fault) => {
    const run = new RecordedRun(1);
    await backups(run);
    const fromPoint = run.disk.operations.length;
    run.system.faults.plan(fault);
    const { lastSequence } = await restoreLog(BACKUP, RESTORED, { fileSystem: run.system });
    run.disk.mark({ restored: lastSequence });
    const checks = checkEveryCrash(run, {
      statesMax: 400,
      fromPoint,
      check: (state) => checkRestored(state, run, lastSequence),
    });
    await expect(checks).rejects.toThrow('power cut');
  });
});

async function backups(run: RecordedRun, fault?: Fault): Promise<number> {
  const wal = await run.open();
  await fill(run, wal, 1);
  const fromPoint = run.disk.operations.length;
  if (fault !== undefined) run.system.faults.plan(fault);
  await backUp(run, wal);
  await fill(run, wal, 1);
  await run.append(wal);
  await backUp(run, wal);
  await run.close(wal);
  return fromPoint;
}

async function backUp(run: RecordedRun, wal: Wal): Promise<void> {
  const { lastSequence } = await wal.backup(BACKUP);
  run.disk.mark({ backedUp: lastSequence });
}

async function checkBackup(state: CrashState, run: RecordedRun): Promise<void> {
  const marks = state.marks as readonly BackedUp[];
  const promised = Math.max(0, ...marks.map(({ backedUp = 0 }) => backedUp));
  const system = SimulatedFileSystem.on(state.image);
  if (promised > 0) await expectRestorable(system, run, promised);
  await checkMaintained(state, run, {
    check: async (wal, after) => {
      const { lastSequence } = await wal.backup(BACKUP);
      await expectRestorable(after, run, lastSequence);
    },
  });
}

async function expectRestorable(
  system: SimulatedFileSystem,
  run: RecordedRun,
  promised: number,
): Promise<void> {
  const { problems } = await verifyBackup(BACKUP, { fileSystem: system });
  if (problems.length > 0) throw new Error(`verify: ${JSON.stringify(problems)}`);
  const target = SimulatedFileSystem.on(system.disk.image());
  const { lastSequence } = await restoreLog(BACKUP, RESTORED, { fileSystem: target });
  if (lastSequence < promised) throw new Error(`restores ${lastSequence} of ${promised}`);
  const image = asLog(target.disk.image());
  await checkMaintained({ image, marks: [] }, run, {
    check: async (wal) => {
      const last = await wal.scan(0 as Sequence, () => undefined);
      if (last !== lastSequence) throw new Error(`restored ${last} of ${lastSequence}`);
    },
  });
}

async function checkRestored(state: CrashState, run: RecordedRun, whole: number): Promise<void> {
  const isDone = (state.marks as readonly { restored?: number }[]).some(({ restored }) => restored);
  if (!state.image.files.has(`${RESTORED}/MANIFEST`)) {
    const named = [...state.image.files.keys()].some((path) => /^\/restored\/.*\.wal$/.test(path));
    if (named || isDone) throw new Error('MANIFEST is not there');
    return;
  }
  try {
    await checkMaintained({ image: asLog(state.image), marks: [] }, run, {
      check: (wal) =>
        wal.lastSequence === whole
          ? Promise.resolve()
          : Promise.reject(new Error(`a log of ${wal.lastSequence} of ${whole} records`)),
    });
  } catch (error) {
    if (isDone || (error as { code?: string }).code !== 'WAL_MISSING_SEGMENT') throw error;
  }
}

/** The restored log where simulated logs are opened. */
function asLog(image: DiskImage): DiskImage {
  const files = [...image.files]
    .filter(([path]) => path.startsWith(`${RESTORED}/`))
    .map(([path, content]) => [path.replace(RESTORED, LOG), Buffer.from(content)] as const);
  return { files: new Map(files), directories: new Set(['/data', LOG]) };
}

async function fill(run: RecordedRun, wal: Wal, rotations: number): Promise<void> {
  const target = wal.stats().rotations + rotations;
  while (wal.stats().rotations < target) await run.append(wal, { records: 12 });
}

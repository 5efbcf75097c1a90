import type { Sequence, Wal } from '@holdfast/wal';
import { ArchiveDirectory, restoreLog, verifyBackup } from '@holdfast/wal/maintenance';
import { type DiskImage, type Fault, LOG, SimulatedFileSystem } from '@holdfast/wal/testing';
import type { CrashState } from './crash-states.js';
import { checkMaintained } from './maintenance-oracle.js';
import type { RecordedRun } from './recorded-run.js';

/** Work on sealed segments, and what must hold after a crash at any point of it. */
export interface Maintenance {
  /** Plays the work; a fault begins with it. Returns the operation at which it begins. */
  play(run: RecordedRun, fault?: Fault): Promise<number>;
  /** Throws what is wrong with what a crash has left. */
  check(state: CrashState, run: RecordedRun): Promise<void>;
}

const ARCHIVE = '/archive';
const BACKUP = '/backup';
const RESTORED = '/restored';

const archiveOn = (system: SimulatedFileSystem): ArchiveDirectory =>
  ArchiveDirectory.open(ARCHIVE, { create: true, fileSystem: system });

/** Removes twice, with a floor in the way of the first removal. */
export const REMOVAL: Maintenance = {
  async play(run, fault) {
    const wal = await run.open();
    await fill(run, wal, 3);
    const fromPoint = begin(run, fault);
    const [, second = 0, third = 0] = firstSequencesOf(wal);
    wal.floors.set('slow', second as Sequence);
    await remove(run, wal, third, second);
    wal.floors.drop('slow');
    await run.append(wal);
    await remove(run, wal, third + 1, third);
    await run.append(wal);
    await run.close(wal);
    return fromPoint;
  },
  check: (state, run) => checkMaintained(state, run),
};

/** Every record stays readable from the first to the last, and archiving goes on after the crash. */
export const ARCHIVAL: Maintenance = {
  async play(run, fault) {
    const wal = await run.open({ archive: archiveOn(run.system) });
    await fill(run, wal, 2);
    const fromPoint = begin(run, fault);
    for (const rotations of [0, 1]) {
      await fill(run, wal, rotations);
      await wal.maintenance.archiveSealed();
      await wal.maintenance.removeSegments({ below: wal.durableSequence });
    }
    await run.append(wal);
    await run.close(wal);
    return fromPoint;
  },
  check: (state, run) =>
    checkMaintained(state, run, {
      archive: archiveOn,
      check: async (wal) => {
        await wal.maintenance.archiveSealed();
        await wal.maintenance.removeSegments({ below: wal.durableSequence });
        if (wal.firstSequence !== 1) throw new Error(`begins at ${wal.firstSequence}`);
        await expectReadable(wal);
      },
    }),
};

const mayBeDropped = (sequence: number): boolean => sequence % 4 !== 0;

/** Every record that the policy does not let go is there, at its sequence, and compaction goes on. */
export const COMPACTION: Maintenance = {
  async play(run, fault) {
    const wal = await run.open();
    await fill(run, wal, 2);
    const fromPoint = begin(run, fault);
    await compact(wal, (sequence) => sequence % 4 === 1);
    await run.append(wal);
    await compact(wal, mayBeDropped);
    await run.append(wal);
    await run.close(wal);
    return fromPoint;
  },
  check: (state, run) =>
    checkMaintained(state, run, {
      mayBeDropped,
      check: async (wal) => {
        await compact(wal, mayBeDropped);
        const { problems } = await wal.verify();
        if (problems.length > 0) throw new Error(`verify: ${JSON.stringify(problems)}`);
      },
    }),
};

/** The last complete backup verifies and restores to what it was made of, and the next one goes on. */
export const BACKUPS: Maintenance = {
  async play(run, fault) {
    const wal = await run.open();
    await fill(run, wal, 1);
    const fromPoint = begin(run, fault);
    await backUp(run, wal);
    await fill(run, wal, 1);
    await run.append(wal);
    await backUp(run, wal);
    await run.close(wal);
    return fromPoint;
  },
  async check(state, run) {
    const marks = state.marks as readonly { readonly backedUp?: number }[];
    const promised = Math.max(0, ...marks.map(({ backedUp = 0 }) => backedUp));
    if (promised > 0) await expectRestorable(SimulatedFileSystem.on(state.image), run, promised);
    await checkMaintained(state, run, {
      check: async (wal, after) => {
        const { lastSequence } = await wal.maintenance.backup(BACKUP);
        await expectRestorable(after, run, lastSequence);
      },
    });
  },
};

/** A restore that was cut short is refused; one that has ended is whole. */
export const RESTORE: Maintenance = {
  async play(run, fault) {
    await BACKUPS.play(run);
    const fromPoint = begin(run, fault);
    const { lastSequence } = await restoreLog(BACKUP, RESTORED, { fileSystem: run.system });
    run.disk.mark({ restored: lastSequence });
    return fromPoint;
  },
  async check(state, run) {
    const marks = state.marks as readonly { readonly restored?: number }[];
    const isDone = marks.some(({ restored }) => restored !== undefined);
    if (!state.image.files.has(`${RESTORED}/MANIFEST`)) {
      const named = [...state.image.files.keys()].some((path) =>
        /^\/restored\/.*\.wal$/.test(path),
      );
      if (named || isDone) throw new Error('MANIFEST is not there');
      return;
    }
    try {
      await checkMaintained({ image: asLog(state.image), marks: [] }, run, {
        check: async (wal) => {
          const { lastSequence } = await restoreAgain(state.image);
          if (wal.lastSequence !== lastSequence)
            throw new Error(`a log of ${wal.lastSequence} of ${lastSequence} records`);
        },
      });
    } catch (error) {
      if (isDone || (error as { code?: string }).code !== 'WAL_MISSING_SEGMENT') throw error;
    }
  },
};

export const MAINTENANCE: Readonly<Record<string, Maintenance>> = {
  'removal of segments': REMOVAL,
  'archive and removal': ARCHIVAL,
  compaction: COMPACTION,
  backups: BACKUPS,
  'a restore': RESTORE,
};

function begin(run: RecordedRun, fault: Fault | undefined): number {
  if (fault !== undefined) run.system.faults.plan(fault);
  return run.disk.operations.length;
}

async function fill(run: RecordedRun, wal: Wal, rotations: number): Promise<void> {
  const target = wal.stats().rotations + rotations;
  while (wal.stats().rotations < target) await run.append(wal, { records: 12 });
}

function firstSequencesOf(wal: Wal): number[] {
  return wal.segments().map(({ name }) => name.firstSequence);
}

/** `removedBelow`: where the log may begin afterwards, at the latest. */
async function remove(
  run: RecordedRun,
  wal: Wal,
  below: number,
  removedBelow: number,
): Promise<void> {
  run.disk.mark({ removedBelow });
  await wal.maintenance.removeSegments({ below: below as Sequence });
}

async function compact(wal: Wal, drop: (sequence: number) => boolean): Promise<void> {
  const below = (wal.durableSequence + 1) as Sequence;
  await wal.maintenance.compact({ below, drop, savedFractionMin: 0 });
}

async function backUp(run: RecordedRun, wal: Wal): Promise<void> {
  const { lastSequence } = await wal.maintenance.backup(BACKUP);
  run.disk.mark({ backedUp: lastSequence });
}

async function expectReadable(wal: Wal): Promise<void> {
  const last = await wal.scan(0 as Sequence, () => undefined);
  if (last !== wal.lastSequence) throw new Error(`ends at ${last}, not at ${wal.lastSequence}`);
}

async function expectRestorable(
  system: SimulatedFileSystem,
  run: RecordedRun,
  promised: number,
): Promise<void> {
  const { problems } = await verifyBackup(BACKUP, { fileSystem: system });
  if (problems.length > 0) throw new Error(`verify: ${JSON.stringify(problems)}`);
  const { image, lastSequence } = await restoreAgain(system.disk.image());
  if (lastSequence < promised) throw new Error(`restores ${lastSequence} of ${promised}`);
  await checkMaintained({ image: asLog(image), marks: [] }, run, {
    check: async (wal) => {
      await expectReadable(wal);
      if (wal.lastSequence !== lastSequence)
        throw new Error(`restored ${wal.lastSequence} of ${lastSequence}`);
    },
  });
}

/** The backup restored in a place of its own. */
async function restoreAgain(image: DiskImage): Promise<{ image: DiskImage; lastSequence: number }> {
  const files = [...image.files].filter(([path]) => !path.startsWith(`${RESTORED}/`));
  const directories = [...image.directories].filter((path) => path !== RESTORED);
  const system = SimulatedFileSystem.on({
    files: new Map(files),
    directories: new Set(directories),
  });
  const { lastSequence } = await restoreLog(BACKUP, RESTORED, { fileSystem: system });
  return { image: system.disk.image(), lastSequence };
}

/** The restored log where simulated logs are opened. */
function asLog(image: DiskImage): DiskImage {
  const files = [...image.files]
    .filter(([path]) => path.startsWith(`${RESTORED}/`))
    .map(([path, content]) => [path.replace(RESTORED, LOG), Buffer.from(content)] as const);
  return { files: new Map(files), directories: new Set(['/data', LOG]) };
}

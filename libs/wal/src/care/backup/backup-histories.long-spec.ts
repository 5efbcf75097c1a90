import { describe, expect, it } from '@jest/globals';
import {
  batchAfter,
  type DiskImage,
  LOG,
  openSimulated,
  payloadOf,
  SimulatedFileSystem,
  textsOf,
} from '../../testing/index.js';
import type { Wal } from '../../wal.js';
import type { Sequence } from '../../wal.types.js';
import { salvage } from '../salvage/salvage.js';
import { readBackupManifest, writeBackupManifest } from './backup-manifest.js';
import { firstSequenceIn } from './backup-segments.js';
import { verifyBackup } from './backup-verification.js';
import { restoreLog } from './restore.js';

const BACKUP = '/backup';
const RESTORED = '/restored';

/** A record of the length that `payloadOf` gives its sequence, and of a content that says whose it is. */
function record(sequence: number, mark: string): Buffer[] {
  return [Buffer.from(`${mark}:`.padEnd(payloadOf(sequence).length, mark))];
}

async function appendAll(wal: Wal, count: number): Promise<void> {
  for (let at = 0; at < count; at++) await wal.append(batchAfter(wal.lastSequence, 1)).durable;
}

/** What was restored in the place of the log; the backup stays where it is. */
function swapped({ files, directories }: DiskImage): SimulatedFileSystem {
  const moved = [...files].flatMap(([path, content]) => {
    if (path.startsWith(`${LOG}/`)) return [];
    if (path.startsWith(`${RESTORED}/`)) return [[path.replace(RESTORED, LOG), content] as const];
    return [[path, content] as const];
  });
  const kept = [...directories].filter((path) => path !== RESTORED);
  return SimulatedFileSystem.on({ files: new Map(moved), directories: new Set(kept) });
}

function inBackup(files: DiskImage['files']): unknown {
  return [...files].filter(([path]) => path.startsWith(`${BACKUP}/`));
}

async function restoredTexts(image: DiskImage): Promise<string[]> {
  const system = SimulatedFileSystem.on(image);
  await restoreLog(BACKUP, RESTORED, { fileSystem: system });
  const wal = await openSimulated(swapped(system.disk.image()), { create: false }, 77);
  const texts = await textsOf(wal);
  await wal.close();
  return texts;
}

/** Two opens; the second one's segment begins with a record `old`, which is backed up. */
async function backedUp(): Promise<{ system: SimulatedFileSystem; kept: number }> {
  const system = SimulatedFileSystem.on();
  await openSimulated(system).then(async (wal) => {
    await appendAll(wal, 5);
    await wal.close();
  });
  const wal = await openSimulated(system, {}, 2);
  await wal.append(record(6, 'old')).durable;
  await wal.maintenance.backup(BACKUP);
  await wal.close();
  return { system, kept: 5 };
}

describe('a backup of a log that was restored to an earlier place', () => {
  it('holds the new record and not the old one, also where both have one place and one length', async () => {
    const { system, kept } = await backedUp();
    await restoreLog(BACKUP, RESTORED, { fileSystem: system, upTo: kept as Sequence });
    const disk = swapped(system.disk.image());
    const wal = await openSimulated(disk, { create: false }, 3);
    await wal.append(record(kept + 1, 'new')).durable;
    const expected = await textsOf(wal);
    await wal.maintenance.backup(BACKUP, { replace: true });
    await wal.close();
    expect((await verifyBackup(BACKUP, { fileSystem: disk })).problems).toEqual([]);
    expect(await restoredTexts(disk.disk.image())).toEqual(expected);
    expect(expected.at(-1)).toContain('new');
  });

  it('goes on in the same directory when the restore has cut a segment that was copied whole', async () => {
    const { system } = await backedUp();
    await restoreLog(BACKUP, RESTORED, { fileSystem: system, upTo: 3 as Sequence });
    const disk = swapped(system.disk.image());
    const wal = await openSimulated(disk, { create: false }, 3);
    await appendAll(wal, 9);
    const expected = await textsOf(wal);
    const before = disk.disk.image().files;
    await expect(wal.maintenance.backup(BACKUP)).rejects.toMatchObject({
      code: 'WAL_BACKUP_REFUSED',
    });
    expect(inBackup(disk.disk.image().files)).toEqual(inBackup(before));
    const report = await wal.maintenance.backup(BACKUP, { replace: true });
    expect(report).toMatchObject({ firstSequence: 1, lastSequence: 12 });
    expect(await wal.maintenance.backup(BACKUP)).toMatchObject({
      copiedSegments: 0,
      copiedBytes: 0,
    });
    await wal.close();
    expect((await verifyBackup(BACKUP, { fileSystem: disk })).problems).toEqual([]);
    expect(await restoredTexts(disk.disk.image())).toEqual(expected);
  });

  it('needs no leave where everything was restored', async () => {
    const { system } = await backedUp();
    await restoreLog(BACKUP, RESTORED, { fileSystem: system });
    const disk = swapped(system.disk.image());
    const wal = await openSimulated(disk, { create: false }, 3);
    expect(await wal.maintenance.backup(BACKUP)).toMatchObject({
      firstSequence: 1,
      lastSequence: 6,
    });
    await appendAll(wal, 1);
    expect(await wal.maintenance.backup(BACKUP)).toMatchObject({
      firstSequence: 1,
      lastSequence: 7,
    });
    await wal.close();
    const next = await openSimulated(disk, { create: false }, 4);
    // Before it has a record of its own.
    expect(await next.maintenance.backup(BACKUP)).toMatchObject({ lastSequence: 7 });
    await next.close();
    const last = await openSimulated(disk, { create: false }, 5);
    expect(await last.maintenance.backup(BACKUP)).toMatchObject({ lastSequence: 7 });
    await last.close();
  });

  it('needs no leave where everything was restored of one whose growing segment held no record', async () => {
    const system = SimulatedFileSystem.on();
    await openSimulated(system).then(async (wal) => {
      await appendAll(wal, 5);
      await wal.close();
    });
    const restarted = await openSimulated(system, {}, 2);
    await restarted.maintenance.backup(BACKUP);
    await restarted.close();
    const image = system.disk.image();
    await restoreLog(BACKUP, RESTORED, { fileSystem: system });
    const disk = swapped(system.disk.image());
    const wal = await openSimulated(disk, { create: false }, 3);
    expect(await wal.maintenance.backup(BACKUP)).toMatchObject({
      firstSequence: 1,
      lastSequence: 5,
    });
    await appendAll(wal, 1);
    expect(await wal.maintenance.backup(BACKUP)).toMatchObject({
      firstSequence: 1,
      lastSequence: 6,
    });
    await wal.close();
    // Of the same backup, a restore to an earlier place that has come to the same number again.
    const fork = SimulatedFileSystem.on(image);
    await restoreLog(BACKUP, RESTORED, { fileSystem: fork, upTo: 3 as Sequence });
    const forked = swapped(fork.disk.image());
    const other = await openSimulated(forked, { create: false }, 4);
    await appendAll(other, 4);
    await expect(other.maintenance.backup(BACKUP)).rejects.toMatchObject({
      code: 'WAL_BACKUP_REFUSED',
    });
    await other.close();
  });

  it.each(['tail', 'segment'] as const)(
    'copies its %s anew where a file of that name holds something else, and leaves none of it',
    async (which) => {
      const { system } = await backedUp();
      const image = system.disk.image();
      const isAsked = (path: string): boolean =>
        which === 'tail' ? path.startsWith('/backup/tail-') : /segments\/.*\.walz$/.test(path);
      const path = [...image.files.keys()].find(isAsked)!;
      const other = [...image.files].find(
        ([name]) => /\.walz/.test(name) && name.startsWith(BACKUP) && name !== path,
      )!;
      // Put there by a hand, or by a run that a crash has cut short.
      const files = new Map([...image.files].filter(([name]) => name !== `${BACKUP}/BACKUP`));
      const disk = SimulatedFileSystem.on({ ...image, files: files.set(path, other[1]) });
      const wal = await openSimulated(disk, { create: false }, 3);
      await wal.maintenance.backup(BACKUP);
      const expected = await textsOf(wal);
      await wal.close();
      expect((await verifyBackup(BACKUP, { fileSystem: disk })).problems).toEqual([]);
      expect(await restoredTexts(disk.disk.image())).toEqual(expected);
    },
  );
});

describe('a backup that holds what the log does not', () => {
  const SEGMENT = new RegExp(`^${LOG}/[0-9a-f-]+\\.0\\.wal$`);
  const segments = (system: SimulatedFileSystem): string[] =>
    [...system.disk.image().files.keys()].filter((path) => SEGMENT.test(path)).sort();

  async function refused(system: SimulatedFileSystem, wal: Wal, message: RegExp): Promise<void> {
    const before = inBackup(system.disk.image().files);
    await expect(wal.maintenance.backup(BACKUP)).rejects.toMatchObject({
      code: 'WAL_BACKUP_REFUSED',
      message: expect.stringMatching(message),
    });
    expect(inBackup(system.disk.image().files)).toEqual(before);
    const report = await wal.maintenance.backup(BACKUP, { replace: true });
    expect(report.firstSequence).toBe(wal.firstSequence);
    await wal.close();
  }

  it('is not replaced where nothing leads from it to where the log begins', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    await appendAll(wal, 5);
    await wal.maintenance.backup(BACKUP);
    while (segments(system).length < 4) await appendAll(wal, 1);
    await wal.maintenance.removeSegments({ below: wal.durableSequence });
    await refused(system, wal, /sequences 1 to 5,.*nothing leads.*--replace/);
  });

  it.each(['rotten', 'gone'] as const)(
    'is not replaced where a segment that only it holds is %s, which is named; with leave the next ones go on',
    async (state) => {
      const system = SimulatedFileSystem.on();
      const wal = await openSimulated(system);
      while (segments(system).length < 5) await appendAll(wal, 1);
      await wal.maintenance.backup(BACKUP);
      const lastSequence = wal.durableSequence;
      await wal.maintenance.removeSegments({ below: lastSequence });
      const copies = system.list(`${BACKUP}/segments`).sort();
      const path = `${BACKUP}/segments/${copies[1] ?? ''}`;
      if (state === 'gone') system.unlink(path);
      else system.disk.flipBit(path, 100);
      const before = inBackup(system.disk.image().files);
      await expect(wal.maintenance.backup(BACKUP)).rejects.toMatchObject({
        code: 'WAL_BACKUP_REFUSED',
        message: expect.stringMatching(new RegExp(`${copies[1] ?? ''}.*--replace`)),
      });
      expect(inBackup(system.disk.image().files)).toEqual(before);
      const { firstSequence } = await wal.maintenance.backup(BACKUP, { replace: true });
      // What leads up to the log without it stays.
      expect(firstSequence).toBe(firstSequenceIn(copies[2] ?? ''));
      expect(firstSequence).toBeLessThan(wal.firstSequence);
      await appendAll(wal, 1);
      expect(await wal.maintenance.backup(BACKUP)).toMatchObject({ firstSequence });
      expect((await verifyBackup(BACKUP, { fileSystem: system })).problems).toEqual([]);
      await wal.close();
    },
  );

  it('is not replaced by that of a salvaged log, which lacks records in its middle', async () => {
    const system = SimulatedFileSystem.on();
    const damaged = await openSimulated(system);
    while (segments(system).length < 3) await appendAll(damaged, 1);
    await damaged.maintenance.backup(BACKUP);
    await damaged.close();
    system.disk.flipBit(segments(system)[1]!, 10_000);
    const { missing } = await salvage(LOG, RESTORED, { fileSystem: system });
    expect(missing).not.toEqual([]);
    const disk = swapped(system.disk.image());
    const wal = await openSimulated(disk, { create: false }, 3);
    await refused(disk, wal, /restored to before it, or salvaged/);
  });
});

describe('verifying a backup', () => {
  it('finds a growing segment of another history, as earlier versions have named it', async () => {
    const { system, kept } = await backedUp();
    const old = readBackupManifest(system, BACKUP)!;
    const oldTail = system.disk.image().files.get(`${BACKUP}/${old.tail.file}`)!;
    await restoreLog(BACKUP, RESTORED, { fileSystem: system, upTo: kept as Sequence });
    const disk = swapped(system.disk.image());
    const wal = await openSimulated(disk, { create: false }, 3);
    await wal.append(record(kept + 1, 'new')).durable;
    await wal.maintenance.backup(BACKUP, { replace: true });
    await wal.close();
    const mixed = readBackupManifest(disk, BACKUP)!;
    // The sealed segments that lead up to the old tail, and everything else of the new history.
    const segments = mixed.segments.slice(0, old.segments.length);
    writeBackupManifest(disk, BACKUP, { ...mixed, segments, tail: old.tail });
    const image = disk.disk.image();
    const files = new Map(image.files).set(`${BACKUP}/${old.tail.file}`, oldTail);
    const fileSystem = SimulatedFileSystem.on({ ...image, files });
    await expect(verifyBackup(BACKUP, { fileSystem })).rejects.toMatchObject({
      code: 'WAL_CORRUPT',
    });
    const restoredTo = (sequence: number) =>
      restoreLog(BACKUP, `/to-${sequence}`, { fileSystem, upTo: sequence as Sequence });
    await expect(restoredTo(kept + 1)).rejects.toMatchObject({ code: 'WAL_CORRUPT' });
    await expect(restoredTo(kept)).resolves.toMatchObject({ lastSequence: kept });
  });
});

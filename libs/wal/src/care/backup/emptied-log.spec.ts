import { describe, expect, it } from '@jest/globals';
import {
  batchAfter,
  type DiskImage,
  LOG,
  openSimulated,
  SimulatedFileSystem,
} from '../../testing/index.js';
import type { Wal } from '../../wal.js';
import type { Sequence } from '../../wal.types.js';
import { restoreLog } from './restore.js';

const BACKUP = '/backup';
const RESTORED = '/restored';
const RECORDS = 20;
const NEXT = (RECORDS + 1) as Sequence;
const standsAt = (name: string): number => Number(name.split('-')[1]);

async function appendAll(wal: Wal, count: number): Promise<void> {
  for (let at = 0; at < count; at++) await wal.append(batchAfter(wal.lastSequence, 1)).durable;
}

/** What was restored in the place of the log; the backups stay where they are. */
function swapped({ files, directories }: DiskImage): SimulatedFileSystem {
  const moved = [...files].flatMap(([path, content]) => {
    if (path.startsWith(`${LOG}/`)) return [];
    return [[path.replace(RESTORED, LOG), content] as const];
  });
  const kept = [...directories].filter((path) => path !== RESTORED);
  return SimulatedFileSystem.on({ files: new Map(moved), directories: new Set(kept) });
}

function backUp(system: SimulatedFileSystem, wal: Wal, snapshotAt?: number) {
  if (snapshotAt === undefined) return wal.maintenance.backup(BACKUP, { standsAt });
  const name = `snapshot-${snapshotAt}`;
  const path = `/data/${name}`;
  const file = system.open(path, 'create');
  file.write(Buffer.from(path), 0);
  file.close();
  return wal.maintenance.backup(BACKUP, { files: [{ name, path }], standsAt });
}

/** Retention has removed all of its records: what they have led to stands in a snapshot alone. */
async function emptied(): Promise<{ system: SimulatedFileSystem; wal: Wal }> {
  const system = SimulatedFileSystem.on();
  const before = await openSimulated(system);
  await appendAll(before, 5);
  await before.maintenance.backup('/older');
  await appendAll(before, RECORDS - 5);
  await before.close();
  const wal = await openSimulated(system, {}, 2);
  await wal.maintenance.removeSegments({ below: NEXT });
  expect(wal.firstSequence).toBe(NEXT);
  return { system, wal };
}

describe('a backup of a log that retention has emptied', () => {
  it('is not replaced by that of an older history: its snapshot is all that is left', async () => {
    const { system, wal } = await emptied();
    expect(await backUp(system, wal, RECORDS)).toMatchObject({ lastSequence: RECORDS, files: 1 });
    await wal.close();
    await restoreLog('/older', RESTORED, { fileSystem: system });
    const disk = swapped(system.disk.image());
    const inBackup = (): string[] =>
      [...disk.disk.image().files.keys()].filter((path) => path.startsWith(BACKUP));
    const before = inBackup();
    const older = await openSimulated(disk, { create: false }, 7);
    // Also where it has come past the place.
    for (const records of [1, RECORDS]) {
      await appendAll(older, records);
      await expect(backUp(disk, older)).rejects.toMatchObject({
        code: 'WAL_BACKUP_REFUSED',
        message: expect.stringContaining(`no record, but 1 files of up to sequence ${RECORDS}`),
      });
    }
    expect(inBackup()).toEqual(before);
    const replaced = await older.maintenance.backup(BACKUP, { standsAt, replace: true });
    expect(replaced).toMatchObject({ firstSequence: 1, files: 0 });
    await older.close();
  });

  it.each([
    ['in the same open', []],
    ['behind empty segments of later opens', [3, 4]],
  ])('keeps its earliest snapshot when it goes on %s', async (_, seeds) => {
    const { system, wal } = await emptied();
    expect(await backUp(system, wal, RECORDS)).toMatchObject({ restorableFrom: RECORDS });
    let log = wal;
    for (const seed of seeds) {
      await log.close();
      log = await openSimulated(system, {}, seed);
      const { segments } = await log.maintenance.removeSegments({ below: NEXT });
      expect(segments).toHaveLength(1);
    }
    await appendAll(log, 20);
    const next = await backUp(system, log, 35);
    expect(next).toMatchObject({ restorableFrom: RECORDS, keptFiles: [`snapshot-${RECORDS}`] });
    await log.close();
  });

  it('is gone on with by the log that was restored from it', async () => {
    const { system, wal } = await emptied();
    await backUp(system, wal, RECORDS);
    await wal.close();
    await restoreLog(BACKUP, RESTORED, { fileSystem: system });
    const disk = swapped(system.disk.image());
    const log = await openSimulated(disk, { create: false }, 7);
    await log.maintenance.removeSegments({ below: NEXT });
    await appendAll(log, 20);
    expect(await backUp(disk, log, 35)).toMatchObject({ restorableFrom: RECORDS });
    await log.close();
  });
});

import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { batchAfter, LOG, openSimulated, SimulatedFileSystem } from '../../testing/index.js';
import { Wal } from '../../wal.js';
import { ArchiveDirectory } from '../archive/archive-directory.js';

const BACKUP = '/backup';

async function filled(system: SimulatedFileSystem, rotations = 2): Promise<Wal> {
  const wal = await openSimulated(system);
  while (wal.stats().rotations < rotations)
    await wal.append(batchAfter(wal.lastSequence, 4, 2_000)).durable;
  return wal;
}

function withFiles(files: Readonly<Record<string, string>>): SimulatedFileSystem {
  const contents = Object.entries(files).map(
    ([path, text]) => [`${BACKUP}/${path}`, Buffer.from(text)] as const,
  );
  const directories = [BACKUP, `${BACKUP}/files`, `${BACKUP}/segments`];
  return SimulatedFileSystem.on({ files: new Map(contents), directories: new Set(directories) });
}

const below = (system: SimulatedFileSystem) =>
  new Map([...system.disk.image().files].filter(([path]) => path.startsWith(BACKUP)));

describe('the directory of a backup', () => {
  it.each([
    ['photographs', { 'files/holiday.jpg': 'x' }],
    ['files of these names', { 'tail-of-the-tale.txt': 'x', 'segments/1.walz': 'y' }],
    ['a lock that says something', { LOCK: 'pid 1' }],
    ['a mark that is not ours', { 'BACKUP-OF': 'somebody' }],
  ])('is refused and left alone when it holds %s', async (_, files) => {
    const system = withFiles(files);
    const wal = await filled(system);
    const before = below(system);
    await expect(wal.maintenance.backup(BACKUP)).rejects.toMatchObject({
      code: 'WAL_BACKUP_REFUSED',
    });
    expect(below(system)).toEqual(before);
    await wal.close();
    expect(system.openFileCount).toBe(0);
  });

  it.each([
    ['empty', []],
    ['what a run leaves that was killed before its mark was there', ['LOCK', 'BACKUP-OF.tmp']],
    ['what a file system makes by itself', ['lost+found']],
  ])('may be %s', async (_, names) => {
    const files = names.map((name) => [`${BACKUP}/${name}`, Buffer.alloc(0)] as const);
    const image = { files: new Map(files), directories: new Set([BACKUP]) };
    const wal = await filled(SimulatedFileSystem.on(image));
    await wal.maintenance.backup(BACKUP);
    await wal.close();
  });

  it('keeps what another hand puts there later', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await filled(system);
    await wal.maintenance.backup(BACKUP);
    const image = system.disk.image();
    const strangers = ['notes.txt', 'tail-notes', 'files/readme', 'segments/readme.walz'];
    const files = new Map(image.files);
    for (const name of strangers) files.set(`${BACKUP}/${name}`, Buffer.from(name));
    await wal.close();
    const directories = new Set([...image.directories, `${BACKUP}/files`]);
    const later = SimulatedFileSystem.on({ files, directories });
    const again = await openSimulated(later, {}, 2);
    await again.append(batchAfter(again.lastSequence, 1)).durable;
    await again.maintenance.backup(BACKUP);
    for (const name of strangers) expect(later.exists(`${BACKUP}/${name}`)).toBe(true);
    await again.close();
  });

  it('copies a file anew that has rotted or grown there', async () => {
    const system = SimulatedFileSystem.on({
      files: new Map([['/one', Buffer.from('one')]]),
      directories: new Set(),
    });
    const wal = await filled(system);
    const files = [{ name: 'one', path: '/one' }];
    await wal.maintenance.backup(BACKUP, { files });
    const name = system.list(`${BACKUP}/files`)[0]!;
    for (const content of ['two', 'one more', '']) {
      const image = system.disk.image();
      const changed = new Map(image.files).set(`${BACKUP}/files/${name}`, Buffer.from(content));
      const disk = SimulatedFileSystem.on({ ...image, files: changed });
      disk.unlink(`${LOG}/LOCK`);
      const other = await openSimulated(disk, {}, 2);
      await other.maintenance.backup(BACKUP, { files });
      expect(below(disk).get(`${BACKUP}/files/${name}`)?.toString()).toBe('one');
      await other.close();
    }
    await wal.close();
  });

  it('holds a file that its owner has pruned while the backup was made', async () => {
    const system = SimulatedFileSystem.on({
      files: new Map([['/one', Buffer.from('one')]]),
      directories: new Set(),
    });
    const wal = await filled(system);
    const making = wal.maintenance.backup(BACKUP, { files: [{ name: 'one', path: '/one' }] });
    system.unlink('/one');
    expect(await making).toMatchObject({ files: 1 });
    const [name] = system.list(`${BACKUP}/files`);
    expect(below(system).get(`${BACKUP}/files/${name}`)?.toString()).toBe('one');
    await wal.close();
    expect(system.openFileCount).toBe(0);
  });

  it('of an earlier version has no mark, and gets one', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await filled(system);
    await wal.maintenance.backup(BACKUP);
    system.unlink(`${BACKUP}/BACKUP-OF`);
    expect(await wal.maintenance.backup(BACKUP)).toMatchObject({ copiedSegments: 0 });
    expect(system.exists(`${BACKUP}/BACKUP-OF`)).toBe(true);
    system.unlink(`${BACKUP}/BACKUP`);
    // By its mark alone, as after a first run that was cut short.
    expect(await wal.maintenance.backup(BACKUP)).toMatchObject({ firstSequence: 1 });
    await wal.close();
  });

  it('lies apart from the log, its archive and whatever else is named', async () => {
    const system = SimulatedFileSystem.on();
    await openSimulated(system).then((wal) => wal.close());
    const archive = ArchiveDirectory.open('/archive', { create: true, fileSystem: system });
    system.makeDirectory('/state');
    const wal = await openSimulated(system, { archive }, 2);
    const apartFrom = ['/state', '/not-there'];
    const names = () => [...system.disk.image().files.keys(), ...system.disk.image().directories];
    const before = names();
    for (const place of [LOG, `${LOG}/new`, '/data', '/archive/new', '/state/a/b', '/state'])
      await expect(wal.maintenance.backup(place, { apartFrom })).rejects.toMatchObject({
        code: 'WAL_BACKUP_REFUSED',
        message: expect.stringContaining('live data'),
      });
    expect(names()).toEqual(before);
    await wal.close();
  });
});

describe('the directory of a backup on a real disk', () => {
  let root = '';
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it('is not reached inside of the live data by a symbolic link', async () => {
    root = mkdtempSync(join(tmpdir(), 'holdfast-target-'));
    const log = join(root, 'data', 'wal');
    const wal = await Wal.open(log, { create: true });
    symlinkSync(log, join(root, 'elsewhere'));
    mkdirSync(join(root, 'own'));
    writeFileSync(join(root, 'own', 'keep'), '');
    for (const place of ['elsewhere/backup', 'elsewhere', 'own'])
      await expect(wal.maintenance.backup(join(root, place))).rejects.toMatchObject({
        code: 'WAL_BACKUP_REFUSED',
      });
    expect(readdirSync(join(root, 'own'))).toEqual(['keep']);
    await wal.maintenance.backup(join(root, 'backup'));
    await wal.close();
  });
});

describe('a backup of many segments', () => {
  it('gives others their turn at each, and lists no directory again for each', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await filled(system, 40);
    const listed = jest.spyOn(system, 'list');
    await wal.maintenance.backup(BACKUP);
    const lists = listed.mock.calls.filter(([path]) => path.startsWith(BACKUP)).length;
    expect(lists).toBeLessThan(10);
    let turns = 0;
    const load = { goesOn: true };
    const counting = (async () => {
      while (load.goesOn) {
        await setImmediate();
        turns++;
      }
    })();
    expect(await wal.maintenance.backup(BACKUP)).toMatchObject({ copiedSegments: 0 });
    load.goesOn = false;
    await counting;
    // Once where its footer is looked for, once where it is compared.
    expect(turns).toBeGreaterThanOrEqual(2 * 40);
    await wal.close();
  });

  it('leaves no file open when its target cannot be written', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await filled(system);
    const open = system.openFileCount;
    for (const path of [/segments\/.*tmp$/, /tail-.*tmp$/]) {
      const effect = { kind: 'error', code: 'EROFS' } as const;
      const end = system.faults.plan({ operation: 'open', path, effect });
      await expect(wal.maintenance.backup(BACKUP)).rejects.toMatchObject({ code: 'EROFS' });
      end();
      expect(system.openFileCount).toBe(open);
    }
    await wal.close();
  });
});

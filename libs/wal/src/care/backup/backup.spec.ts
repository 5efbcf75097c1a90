import { describe, expect, it } from '@jest/globals';
import {
  batchAfter,
  type DiskImage,
  framesOf,
  LOG,
  openSimulated,
  SeededRandom,
  SimulatedFileSystem,
  textsOf,
} from '../../testing/index.js';
import type { Wal } from '../../wal.js';
import { BEFORE_FIRST, type Sequence } from '../../wal.types.js';
import { ArchiveDirectory } from '../archive/archive-directory.js';
import { describeBackup, verifyBackup } from './backup-verification.js';
import { restoreLog } from './restore.js';

const BACKUP = '/backup';
const RESTORED = '/restored';
const at = (sequence: number): Sequence => sequence as Sequence;

async function fill(wal: Wal, rotations: number, seed = 1): Promise<void> {
  const random = new SeededRandom(seed);
  const target = wal.stats().rotations + rotations;
  while (wal.stats().rotations < target) await appendTogether(wal, random);
}

/** Some batches that share a frame. */
async function appendTogether(wal: Wal, random: SeededRandom): Promise<void> {
  const batches = Array.from({ length: 1 + random.below(3) }, () => {
    const batch = batchAfter(wal.lastSequence, 1 + random.below(4), 100 + random.below(900));
    return wal.append(batch).durable;
  });
  await Promise.all(batches);
}

/** What a log restored up to a sequence must hold: whole batches that end at or below it. */
function wholeBatches(texts: readonly string[], upTo: number): string[] {
  const within = texts.slice(0, upTo);
  return within.slice(0, within.findLastIndex((text) => text.endsWith('.')) + 1);
}

async function restored(
  system: SimulatedFileSystem,
  options: { upTo?: Sequence; atMillis?: number } = {},
): Promise<{ texts: string[]; wal: Wal; report: Awaited<ReturnType<typeof restoreLog>> }> {
  const target = SimulatedFileSystem.on(system.disk.image());
  const report = await restoreLog(BACKUP, RESTORED, { ...options, fileSystem: target });
  const wal = await openAt(target);
  return { texts: await textsOf(wal), wal, report };
}

/** Opens what stands at `RESTORED`, moved to where simulated logs are. */
function openAt(system: SimulatedFileSystem, seed = 42): Promise<Wal> {
  const { files } = system.disk.image();
  const moved = [...files]
    .filter(([path]) => path.startsWith(`${RESTORED}/`))
    .map(([path, content]) => [path.replace(RESTORED, LOG), content] as const);
  const image = { files: new Map(moved), directories: new Set(['/data', LOG]) };
  return openSimulated(SimulatedFileSystem.on(image), { create: false }, seed);
}

/** Whether the last frame of the log holds no record. */
function endsIdle(system: SimulatedFileSystem): boolean {
  const segments = system.list(LOG).filter((file) => file.endsWith('.wal'));
  const content = system.disk.image().files.get(`${LOG}/${segments.sort().at(-1) ?? ''}`);
  return content !== undefined && framesOf(content).at(-1)?.recordCount === 0;
}

describe('a backup', () => {
  it('of a log without a record is gone on with when its empty segments are gone', async () => {
    const system = SimulatedFileSystem.on();
    let wal = await openSimulated(system);
    expect(await wal.maintenance.backup(BACKUP)).toMatchObject({ lastSequence: 0 });
    await wal.close();
    wal = await openSimulated(system, {}, 2);
    const removed = await wal.maintenance.removeSegments({ below: at(1) });
    expect(removed.segments).toHaveLength(1);
    await fill(wal, 1);
    const { lastSequence } = await wal.maintenance.backup(BACKUP);
    expect(lastSequence).toBe(wal.durableSequence);
    expect((await restored(system)).texts).toEqual(await textsOf(wal));
  });

  it('is made while appends go on, holds what was durable when it began, and verifies', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    await fill(wal, 3);
    const random = new SeededRandom(7);
    const load = { goesOn: true };
    const appends = (async () => {
      while (load.goesOn) await appendTogether(wal, random);
    })();
    const durable = wal.durableSequence;
    const report = await wal.maintenance.backup(BACKUP);
    load.goesOn = false;
    await appends;
    expect(wal.durableSequence).toBeGreaterThan(report.lastSequence);
    expect(report.lastSequence).toBeGreaterThanOrEqual(durable);
    const verified = await verifyBackup(BACKUP, { fileSystem: system });
    expect(verified).toMatchObject({
      ...{ logId: wal.logId, firstSequence: 1, lastSequence: report.lastSequence },
      ...{ records: report.lastSequence, segments: report.segments, problems: [] },
    });
    const all = await textsOf(wal);
    const back = await restored(system);
    expect(back.texts).toEqual(all.slice(0, report.lastSequence));
    expect((await back.wal.verify()).problems).toEqual([]);
    await back.wal.close();
    await wal.close();
    expect([system.openFileCount, system.misuses]).toEqual([0, []]);
  });

  it('copies a sealed segment once, and goes on from an earlier one', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    await fill(wal, 2);
    expect(await wal.maintenance.backup(BACKUP)).toMatchObject({ segments: 3, copiedSegments: 2 });
    expect(await wal.maintenance.backup(BACKUP)).toMatchObject({
      copiedSegments: 0,
      copiedBytes: 0,
    });
    await fill(wal, 1);
    const third = await wal.maintenance.backup(BACKUP);
    expect(third).toMatchObject({ segments: 4, copiedSegments: 1 });
    expect(system.list(BACKUP).filter((file) => file.startsWith('tail-'))).toHaveLength(1);
    const back = await restored(system);
    expect(back.texts).toEqual(await textsOf(wal));
    await Promise.all([back.wal.close(), wal.close()]);
  });

  it('holds what the archive holds, and keeps what retention removed later', async () => {
    const system = SimulatedFileSystem.on();
    await openSimulated(system).then((wal) => wal.close());
    const archive = ArchiveDirectory.open('/archive', { create: true, fileSystem: system });
    const wal = await openSimulated(system, { archive }, 2);
    await fill(wal, 3);
    await wal.maintenance.archiveSealed();
    await wal.maintenance.removeSegments({ below: wal.durableSequence });
    await wal.maintenance.backup(BACKUP);
    const texts = await textsOf(wal);
    expect((await restored(system)).texts).toEqual(texts);
    await wal.close();
    // The archive is gone; the log begins later now, and the backup still holds its first record.
    const alone = await openSimulated(system, {}, 3);
    expect(alone.firstSequence).toBeGreaterThan(1);
    await fill(alone, 1);
    const report = await alone.maintenance.backup(BACKUP);
    expect(report.firstSequence).toBe(1);
    const back = await restored(system);
    expect(back.texts.slice(0, texts.length)).toEqual(texts);
    expect(back.texts).toHaveLength(report.lastSequence);
    await Promise.all([back.wal.close(), alone.close()]);
  });

  it('takes files along, each once, and says where they are', async () => {
    const system = SimulatedFileSystem.on({
      files: new Map([['/one', Buffer.from('one')]]),
      directories: new Set(),
    });
    const wal = await openSimulated(system);
    await wal.append(batchAfter(0, 2)).durable;
    const files = [{ name: 'snapshots/one.snapshot', path: '/one' }];
    expect(await wal.maintenance.backup(BACKUP, { files })).toMatchObject({ files: 1 });
    const described = await describeBackup(BACKUP, { fileSystem: system });
    expect(described.files).toMatchObject([{ name: 'snapshots/one.snapshot', bytes: 3 }]);
    const { path } = described.files[0]!;
    expect(system.disk.image().files.get(path)?.toString()).toBe('one');
    system.disk.flipBit(path, 1);
    const { problems } = await verifyBackup(BACKUP, { fileSystem: system });
    expect(problems).toMatchObject([{ file: path }]);
    await expect(
      wal.maintenance.backup(BACKUP, { files: [{ name: '../x', path: '/one' }] }),
    ).rejects.toMatchObject({ code: 'WAL_BACKUP_REFUSED' });
    // Without them, they go.
    await wal.maintenance.backup(BACKUP);
    expect(system.list(`${BACKUP}/files`)).toEqual([]);
    await wal.close();
  });

  it('that is cancelled or fails half-way leaves the earlier one as it was', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    await fill(wal, 1);
    const first = await wal.maintenance.backup(BACKUP);
    await fill(wal, 2);
    const stop = new AbortController();
    const cancelled = wal.maintenance.backup(BACKUP, {
      signal: stop.signal,
      onProgress: ({ bytesDone }) => {
        if (bytesDone > 40_000) stop.abort();
      },
    });
    await expect(cancelled).rejects.toMatchObject({ code: 'WAL_CANCELLED' });
    for (const operation of ['write', 'data-sync', 'rename', 'sync-directory'] as const) {
      const effect = { kind: 'error', code: 'EIO' } as const;
      const end = system.faults.plan({ operation, path: /^\/backup/, effect });
      await expect(wal.maintenance.backup(BACKUP)).rejects.toMatchObject({ code: 'EIO' });
      end();
      expect(await verifyBackup(BACKUP, { fileSystem: system })).toMatchObject({
        ...{ lastSequence: first.lastSequence, problems: [] },
      });
    }
    expect([...wal.floors.holding()]).toEqual([]);
    expect((await wal.maintenance.backup(BACKUP)).lastSequence).toBe(wal.durableSequence);
    await wal.close();
    expect(system.openFileCount).toBe(0);
  });

  it('copies a segment anew that stands there on a bad sector', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    await fill(wal, 1);
    await wal.maintenance.backup(BACKUP);
    const effect = { kind: 'error', code: 'EIO' } as const;
    system.faults.plan({ operation: 'read', path: /segments.*walz$/, times: 2, effect });
    expect(await wal.maintenance.backup(BACKUP)).toMatchObject({ copiedSegments: 1 });
    expect((await verifyBackup(BACKUP, { fileSystem: system })).problems).toEqual([]);
    await wal.close();
  });

  it.each([
    ['tail', 'sha256', 'EIO'],
    ['tail', 'sha256', 'Unknown system error -117'],
    ['file', 'open', 'EIO'],
    ['file', 'sha256', 'EIO'],
    ['file', 'sha256', 'Unknown system error -74'],
  ] as const)(
    'copies a %s anew where a %s of what is there gives %s',
    async (which, operation, code) => {
      const system = SimulatedFileSystem.on({
        files: new Map([['/one', Buffer.from('one')]]),
        directories: new Set(),
      });
      const wal = await openSimulated(system);
      await fill(wal, 1);
      const files = [{ name: 'one', path: '/one' }];
      await wal.maintenance.backup(BACKUP, { files });
      const path = which === 'file' ? /backup\/files\/[0-9a-f]{64}$/ : /backup\/tail-.*walz$/;
      const effect = { kind: 'error', code } as const;
      system.faults.plan({ operation, path, times: 1, effect });
      await wal.maintenance.backup(BACKUP, { files });
      expect(await verifyBackup(BACKUP, { fileSystem: system })).toMatchObject({
        files: [{ name: 'one' }],
        problems: [],
      });
      await wal.close();
    },
  );

  it('leaves out and names a file whose source cannot be read, or is called damaged, and keeps what an earlier run has of it', async () => {
    const names = ['one', 'two', 'three'];
    const system = SimulatedFileSystem.on({
      files: new Map(names.map((name) => [`/${name}`, Buffer.from(name)])),
      directories: new Set(),
    });
    const wal = await openSimulated(system);
    const filesOf = (asked: readonly string[]): { name: string; path: string }[] =>
      asked.map((name) => ({ name, path: `/${name}` }));
    await wal.maintenance.backup(BACKUP, { files: filesOf(['one']) });
    const effect = { kind: 'error', code: 'EIO' } as const;
    system.faults.plan({ operation: 'read', path: /^\/(one|two)$/, effect });
    const report = await wal.maintenance.backup(BACKUP, { files: filesOf(names) });
    expect(report).toMatchObject({ files: 2, leftOut: ['two'] });
    const later = await wal.maintenance.backup(BACKUP, {
      files: filesOf(['three']),
      damagedFiles: ['one', 'two'],
    });
    expect(later).toMatchObject({ files: 2, leftOut: ['two'] });
    const { files, problems } = await verifyBackup(BACKUP, { fileSystem: system });
    expect(files.map(({ name }) => name).sort()).toEqual(['one', 'three']);
    expect(problems).toEqual([]);
    // What has rotted in the backup too is nothing to keep.
    system.disk.flipBit(files.find(({ name }) => name === 'one')!.path, 1);
    const last = await wal.maintenance.backup(BACKUP, { damagedFiles: ['one'] });
    expect(last).toMatchObject({ files: 0, leftOut: ['one'] });
    await wal.close();
  });

  it.each(['open', 'sha256'] as const)(
    'gives up no copy that %s of it does not give just now, where the source is damaged',
    async (operation) => {
      const system = SimulatedFileSystem.on({
        files: new Map([['/one', Buffer.from('one')]]),
        directories: new Set(),
      });
      const wal = await openSimulated(system);
      await wal.maintenance.backup(BACKUP, { files: [{ name: 'one', path: '/one' }] });
      const effect = { kind: 'error', code: 'EIO' } as const;
      const path = /backup\/files\/[0-9a-f]{64}$/;
      const end = system.faults.plan({ operation, path, effect });
      const report = await wal.maintenance.backup(BACKUP, { damagedFiles: ['one'] });
      expect(report).toMatchObject({ files: 1, leftOut: [], keptFiles: ['one'] });
      end();
      const { files, problems } = await verifyBackup(BACKUP, { fileSystem: system });
      expect([files.map(({ name }) => name), problems]).toEqual([['one'], []]);
      await wal.close();
    },
  );

  it('gives up no copy before another one has its name', async () => {
    const system = SimulatedFileSystem.on({
      files: new Map([['/one', Buffer.from('one')]]),
      directories: new Set(),
    });
    const wal = await openSimulated(system);
    await fill(wal, 1);
    const files = [{ name: 'one', path: '/one' }];
    await wal.maintenance.backup(BACKUP, { files });
    const effect = { kind: 'error', code: 'EIO' } as const;
    for (const path of [/tail-.*walz$/, /files\/[0-9a-f]{64}$/]) {
      // One passing fault, and what was copied once more does not get its name.
      const ends = (['sha256', 'publish', 'rename'] as const).map((operation) =>
        system.faults.plan({ operation, path, times: 1, effect }),
      );
      await expect(wal.maintenance.backup(BACKUP, { files })).rejects.toMatchObject({
        code: 'EIO',
      });
      for (const end of ends) end();
      const backup = await verifyBackup(BACKUP, { fileSystem: system });
      expect([backup.files.length, backup.problems]).toEqual([1, []]);
    }
    await wal.close();
  });

  it('ends with what hinders its reading, which is no damage', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    await wal.append(batchAfter(0, 1)).durable;
    const [path, effect] = [/tail-.*walz$/, { kind: 'error', code: 'EMFILE' } as const];
    const end = system.faults.plan({ operation: 'open', path, effect });
    await expect(wal.maintenance.backup(BACKUP)).rejects.toMatchObject({
      code: 'WAL_READ_FAILED',
      cause: { code: 'EMFILE' },
    });
    end();
    await wal.maintenance.backup(BACKUP);
    expect((await verifyBackup(BACKUP, { fileSystem: system })).problems).toEqual([]);
    await wal.close();
  });

  it.each(['rotten', 'gone'] as const)(
    'names every file of an earlier run that it drops because the copy is %s',
    async (state) => {
      const names = ['one', 'two'];
      const system = SimulatedFileSystem.on({
        files: new Map(names.map((name) => [`/${name}`, Buffer.from(name)])),
        directories: new Set(),
      });
      const wal = await openSimulated(system);
      await fill(wal, 3);
      await wal.maintenance.removeSegments({ below: wal.lastSequence });
      const files = names.map((name) => ({ name, path: `/${name}` }));
      await wal.maintenance.backup(BACKUP, { files });
      const copies = (await describeBackup(BACKUP, { fileSystem: system })).files;
      const [one, two] = names.map((name) => copies.find((file) => file.name === name)!.path);
      const spoil = (path: string): void => {
        if (state === 'gone') system.unlink(path);
        else system.disk.flipBit(path, 1);
      };
      spoil(one!);
      const damaged = { files: files.slice(1), damagedFiles: ['one'] };
      expect(await wal.maintenance.backup(BACKUP, damaged)).toMatchObject({
        ...{ files: 1, keptFiles: [], leftOut: ['one'] },
      });
      // The service has none any more.
      spoil(two!);
      expect(await wal.maintenance.backup(BACKUP)).toMatchObject({
        files: 0,
        keptFiles: [],
        leftOut: ['two'],
      });
      await wal.close();
    },
  );

  it('that does not begin with the first record keeps the files that it has until another one travels', async () => {
    const system = SimulatedFileSystem.on({
      files: new Map(['/one', '/two', '/three'].map((path) => [path, Buffer.from(path)])),
      directories: new Set(),
    });
    const filesOf = (...names: string[]): { name: string; path: string }[] =>
      names.map((name) => ({ name, path: `/${name}` }));
    const wal = await openSimulated(system);
    await fill(wal, 3);
    await wal.maintenance.backup('/whole', { files: filesOf('one') });
    expect(await wal.maintenance.backup('/whole', {})).toMatchObject({ files: 0, keptFiles: [] });
    await wal.maintenance.removeSegments({ below: wal.lastSequence });
    await wal.maintenance.backup(BACKUP, { files: filesOf('one', 'two') });
    const { files: had } = await describeBackup(BACKUP, { fileSystem: system });
    system.disk.flipBit(had.find(({ name }) => name === 'two')!.path, 1);
    expect(await wal.maintenance.backup(BACKUP, {})).toMatchObject({
      files: 1,
      keptFiles: ['one'],
    });
    const { files, problems } = await verifyBackup(BACKUP, { fileSystem: system });
    expect([files.map(({ name }) => name), problems]).toEqual([['one'], []]);
    const next = await wal.maintenance.backup(BACKUP, { files: filesOf('three') });
    expect(next).toMatchObject({ files: 1, keptFiles: [], leftOut: [] });
    await wal.close();
  });

  it('that does not begin with the first record keeps the earliest file that stands for its beginning, and says from where on it is of use', async () => {
    const system = SimulatedFileSystem.on({ files: new Map(), directories: new Set(['/states']) });
    const wal = await openSimulated(system);
    const standsAt = (name: string): number => Number.parseInt(name, 10);
    const stateAt = async (sequence: number): Promise<{ name: string; path: string }> => {
      const path = `/states/${sequence}.state`;
      const file = system.open(path, 'create');
      await file.writeAsync(Buffer.from(path), 0);
      file.close();
      return { name: `${sequence}.state`, path };
    };
    const run = async (...files: { name: string; path: string }[]) =>
      wal.maintenance.backup(BACKUP, { files, standsAt });
    const content = async () => {
      const found = await verifyBackup(BACKUP, { fileSystem: system, standsAt });
      const names = found.files.map(({ name }) => name).sort();
      return { ...found, names, problems: found.problems.map(({ reason }) => reason) };
    };

    await fill(wal, 1);
    const useless = await stateAt(1);
    await wal.maintenance.removeSegments({ below: wal.lastSequence });
    const first = wal.firstSequence;
    expect(first).toBeGreaterThan(2);
    // What is of an earlier place leads nowhere.
    expect(await run(useless)).toMatchObject({ firstSequence: first, restorableFrom: undefined });
    expect((await content()).problems).toEqual([
      `the backup begins at sequence ${first} and holds nothing that stands for what came before: it cannot be restored`,
    ]);

    const early = await stateAt(wal.lastSequence);
    await fill(wal, 1);
    const middle = await stateAt(wal.lastSequence);
    expect(await run(early, middle)).toMatchObject({ restorableFrom: standsAt(early.name) });
    await fill(wal, 1);
    const late = await stateAt(wal.lastSequence);
    expect(await run(late)).toMatchObject({
      ...{ firstSequence: first, files: 2, keptFiles: [early.name] },
      restorableFrom: standsAt(early.name),
    });
    expect(await content()).toMatchObject({
      names: [early.name, late.name].sort(),
      problems: [],
      unverified: [expect.stringContaining(`restored from sequence ${standsAt(early.name)} on`)],
    });
    // What has rotted stands for nothing.
    await run(middle, late);
    const kept = (await content()).files.find(({ name }) => name === early.name)!;
    system.disk.flipBit(kept.path, 1);
    expect(await run(late)).toMatchObject({
      ...{ keptFiles: [middle.name], restorableFrom: standsAt(middle.name) },
    });
    await wal.close();
  });

  it.each([
    ['write', /files.*\.tmp$/],
    ['data-sync', /files.*\.tmp$/],
    ['rename', /files/],
    ['rename', /segments/],
    ['rename', /tail-/],
    ['rename', /BACKUP$/],
  ] as const)('leaves no temporary file of a %s of %s that fails', async (operation, path) => {
    const system = SimulatedFileSystem.on({
      files: new Map([['/one', Buffer.from('one')]]),
      directories: new Set(),
    });
    const wal = await openSimulated(system);
    await fill(wal, 1);
    await wal.maintenance.backup(BACKUP);
    await fill(wal, 1);
    const files = [{ name: 'one', path: '/one' }];
    const end = system.faults.plan({ operation, path, effect: { kind: 'error', code: 'ENOSPC' } });
    await expect(wal.maintenance.backup(BACKUP, { files })).rejects.toMatchObject({
      code: 'ENOSPC',
    });
    const left = [...system.disk.image().files.keys()].filter((file) => file.endsWith('.tmp'));
    expect(left.filter((file) => file.startsWith(BACKUP))).toEqual([]);
    end();
    expect(await wal.maintenance.backup(BACKUP, { files })).toMatchObject({ files: 1 });
    await wal.close();
  });

  it('first makes room of what an earlier run has left, and neither of the earlier backup nor of what it needs itself', async () => {
    const system = SimulatedFileSystem.on({
      files: new Map(['/one', '/two', '/three'].map((path) => [path, Buffer.from(path)])),
      directories: new Set(),
    });
    const wal = await openSimulated(system);
    await fill(wal, 1);
    const filesOf = (...names: string[]): { name: string; path: string }[] =>
      names.map((name) => ({ name, path: `/${name}` }));
    const first = await wal.maintenance.backup(BACKUP, { files: filesOf('one') });
    await fill(wal, 1);
    const effect = { kind: 'error', code: 'ENOSPC' } as const;
    const end = system.faults.plan({ operation: 'rename', path: /BACKUP$/, effect });
    await expect(
      wal.maintenance.backup(BACKUP, { files: filesOf('two', 'three') }),
    ).rejects.toThrow('ENOSPC');
    const list = (): string[] => system.list(`${BACKUP}/files`);
    const segments = system.list(`${BACKUP}/segments`);
    expect([list().length, segments.length]).toEqual([3, 2]);
    // It ends before anything of it is copied.
    const atOnce = system.faults.plan({ operation: 'write', path: /^\/backup/, effect });
    await fill(wal, 1);
    await expect(wal.maintenance.backup(BACKUP, { files: filesOf('three') })).rejects.toThrow(
      'ENOSPC',
    );
    expect([list().length, system.list(`${BACKUP}/segments`)]).toEqual([2, segments]);
    expect(system.list(BACKUP).filter((file) => file.startsWith('tail-'))).toHaveLength(1);
    expect(await verifyBackup(BACKUP, { fileSystem: system })).toMatchObject({
      ...{ lastSequence: first.lastSequence, problems: [] },
    });
    end();
    atOnce();
    expect(await wal.maintenance.backup(BACKUP, { files: filesOf('three') })).toMatchObject({
      copiedSegments: 2,
    });
    expect(list()).toHaveLength(1);
    await wal.close();
  });

  it('keeps the segments that it copies from being removed', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    await fill(wal, 3);
    let removal: Promise<unknown> | undefined;
    await wal.maintenance.backup(BACKUP, {
      onProgress: () => {
        removal ??= wal.maintenance
          .removeSegments({ below: wal.durableSequence })
          .then((report) => {
            expect(report.segments).toEqual([]);
            expect(report.pinnedBy[0]?.name).toMatch(/^backup/);
          });
      },
    });
    await removal;
    await wal.close();
  });

  it('is refused where another log has its backup, and ends when the log is closed', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    await fill(wal, 2);
    await wal.maintenance.backup(BACKUP);
    const image = system.disk.image();
    const other = SimulatedFileSystem.on({
      files: new Map([...image.files].filter(([path]) => path.startsWith(`${BACKUP}/`))),
      directories: image.directories,
    });
    const stranger = await openSimulated(other, {}, 5);
    await expect(stranger.maintenance.backup(BACKUP)).rejects.toMatchObject({
      code: 'WAL_BACKUP_REFUSED',
    });
    const ended = stranger.maintenance.backup('/elsewhere', {
      onProgress: () => void stranger.close(),
    });
    await expect(ended.then(() => undefined)).resolves.toBeUndefined();
    await fill(wal, 2);
    let closing: Promise<void> | undefined;
    const cut = wal.maintenance.backup(BACKUP, {
      onProgress: () => void (closing ??= wal.close()),
    });
    await expect(cut).rejects.toMatchObject({ code: 'WAL_CANCELLED' });
    await closing;
    await stranger.close();
  });

  it('does not restore what has rotted in it, and verification names each damage', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    await fill(wal, 2);
    await wal.maintenance.backup(BACKUP);
    await wal.close();
    const image = system.disk.image();
    const paths = [...image.files.keys()].filter((path) => /^\/backup\/.*walz/.test(path));
    expect(paths).toHaveLength(3);
    for (const path of paths) {
      for (const offset of [20, 100, 4_100, 8_194, image.files.get(path)!.length - 1]) {
        const damaged = SimulatedFileSystem.on(image);
        damaged.disk.flipBit(path, offset);
        await expect(restoreLog(BACKUP, RESTORED, { fileSystem: damaged })).rejects.toMatchObject({
          code: expect.stringMatching(/^WAL_(CORRUPT|UNSUPPORTED_FORMAT)$/),
        });
        const found = verifyBackup(BACKUP, { fileSystem: damaged }).then(
          ({ problems }) => problems.length,
          () => 1,
        );
        expect(await found).toBeGreaterThan(0);
      }
      const without = new Map(image.files);
      without.delete(path);
      const missing = SimulatedFileSystem.on({ ...image, files: without });
      await expect(verifyBackup(BACKUP, { fileSystem: missing })).rejects.toMatchObject({
        code: 'WAL_MISSING_SEGMENT',
      });
    }
    const half = SimulatedFileSystem.on(image);
    half.disk.flipBit(`${BACKUP}/BACKUP`, 40);
    await expect(describeBackup(BACKUP, { fileSystem: half })).rejects.toMatchObject({
      code: 'WAL_BACKUP_DAMAGED',
    });
    await expect(describeBackup('/nothing', { fileSystem: half })).rejects.toMatchObject({
      code: 'WAL_BACKUP_DAMAGED',
    });
  });
});

describe('a restore', () => {
  let image: DiskImage;
  let texts: string[];
  let times: readonly { firstSequence: number; lastSequence: number; millis: number }[];
  let logId: string;
  let timeline: string;

  const backedUp = async (): Promise<SimulatedFileSystem> => {
    if ((image as DiskImage | undefined) !== undefined) return SimulatedFileSystem.on(image);
    const system = SimulatedFileSystem.on();
    await openSimulated(system).then(async (first) => {
      await fill(first, 1, 2);
      await first.close();
    });
    const wal = await openSimulated(system, {}, 2);
    await fill(wal, 2, 3);
    await wal.maintenance.backup(BACKUP);
    texts = await textsOf(wal);
    ({ logId, timeline } = wal);
    const { WalReader } = await import('../../wal-reader.js');
    const reader = await WalReader.open(LOG, { fileSystem: system.sibling() });
    times = [...reader.frames({ after: BEFORE_FIRST })].map((frame) => ({
      firstSequence: frame.firstSequence,
      lastSequence: frame.lastSequence,
      millis: frame.writtenAtMicros / 1000,
    }));
    await Promise.all([reader.close(), wal.close()]);
    image = system.disk.image();
    return SimulatedFileSystem.on(image);
  };

  it('to any sequence ends at the last batch boundary at or below it, in the same log with a new timeline', async () => {
    const system = await backedUp();
    for (let upTo = 0; upTo <= texts.length; upTo++) {
      const { texts: found, wal, report } = await restored(system, { upTo: at(upTo) });
      const expected = wholeBatches(texts, upTo);
      expect(found).toEqual(expected);
      expect(report).toMatchObject({ logId, lastSequence: expected.length });
      expect(wal.logId).toBe(logId);
      expect([wal.floors.all().size, wal.timeline === timeline]).toEqual([0, false]);
      if (expected.length > 0) expect(wal.timelineAt(at(expected.length))).toBe(report.timeline);
      await wal.append(batchAfter(expected.length, 1)).durable;
      // Whoever had followed the old log to here sees another timeline.
      expect(wal.timelineAt(wal.lastSequence)).not.toBe(timeline);
      expect((await wal.verify()).problems).toEqual([]);
      await wal.close();
    }
  }, 60_000);

  it('to a time ends behind the last frame that was written at or before it', async () => {
    const system = await backedUp();
    for (const [index, { millis }] of times.entries()) {
      if (index % 3 !== 0) continue;
      for (const atMillis of [millis - 1, millis]) {
        if (!times.some((frame) => frame.millis <= atMillis)) {
          await expect(restored(system, { atMillis })).rejects.toMatchObject({
            code: 'WAL_RESTORE_REFUSED',
            message: expect.stringContaining(new Date(atMillis).toISOString()),
          });
          continue;
        }
        const { texts: found, wal } = await restored(system, { atMillis });
        // The second writer's clock began in front of the end of the first one's.
        const last = times.findLast((frame) => frame.millis <= atMillis);
        expect(found).toEqual(texts.slice(0, last?.lastSequence ?? 0));
        await wal.close();
      }
    }
  }, 60_000);

  it.each(['in the segment that is written', 'in sealed ones'])(
    'to a time holds what was acknowledged by then, also behind frames under a clock that was wrong for a while (%s)',
    async (where) => {
      let [millis, ahead] = [Date.UTC(2026, 0, 1), 0];
      const clock = { nowMillis: (): number => (millis += 1) + ahead };
      const system = SimulatedFileSystem.on();
      const wal = await openSimulated(system, { clock, idleMillis: 1 });
      const records = where === 'in sealed ones' ? 60 : 4;
      const append = async (): Promise<void> => {
        for (let done = 0; done < records; done++)
          await wal.append(batchAfter(wal.lastSequence, 2, 600)).durable;
      };
      await append();
      // For the idle frame, and for records: for one as where the clock jumps between admission and writing, and for so many that a segment ends with them.
      ahead = 365 * 86_400_000;
      if (where === 'in sealed ones') await append();
      else await wal.append(batchAfter(wal.lastSequence, 1)).durable;
      while (!endsIdle(system)) await new Promise((resolve) => setImmediate(resolve));
      ahead = 0;
      await append();
      const [atMillis, acknowledged] = [millis, wal.durableSequence];
      await append();
      await wal.maintenance.backup(BACKUP);
      const all = await textsOf(wal);
      await wal.close();
      const found = await restored(system, { atMillis });
      expect(found.texts).toEqual(all.slice(0, acknowledged));
      await found.wal.close();
    },
  );

  it.each(['damaged', 'gone'] as const)(
    'to a sequence before a segment of the backup that is %s is made of the rest',
    async (state) => {
      const system = await backedUp();
      const segments = system.list(`${BACKUP}/segments`).sort();
      const name = segments[1]!;
      const path = `${BACKUP}/segments/${name}`;
      // A byte of its header.
      if (state === 'gone') system.unlink(path);
      else system.disk.flipBit(path, 100);
      const upTo = Number.parseInt(name.slice(17, 33), 16) - 1;
      const found = await restored(system, { upTo: at(upTo) });
      expect(found.texts).toEqual(texts.slice(0, upTo));
      await found.wal.close();
      const code = state === 'gone' ? 'WAL_MISSING_SEGMENT' : 'WAL_CORRUPT';
      const part = { fileSystem: system, upTo: at(upTo) };
      expect((await describeBackup(BACKUP, part)).lastSequence).toBe(texts.length);
      for (const options of [{}, { upTo: at(upTo + 1) }, { ...part, atMillis: Date.now() }])
        await expect(restored(system, options)).rejects.toMatchObject({ code });
    },
  );

  it('is refused into a directory with anything in it, or beyond what the backup holds', async () => {
    const system = await backedUp();
    const before = system.disk.operations.length;
    const refusals = [
      restoreLog(BACKUP, LOG, { fileSystem: system }),
      restoreLog(BACKUP, '/no/such/parent', { fileSystem: system }),
      restoreLog(BACKUP, RESTORED, { fileSystem: system, upTo: at(texts.length + 1) }),
    ];
    for (const refusal of refusals)
      await expect(refusal).rejects.toMatchObject({ code: 'WAL_RESTORE_REFUSED' });
    expect(system.disk.operations.length).toBe(before);
  });

  it('is refused on a network file system before anything is copied, unless told otherwise', async () => {
    const system = await backedUp();
    const before = system.disk.operations.length;
    system.isNetwork = () => true;
    await expect(restoreLog(BACKUP, RESTORED, { fileSystem: system })).rejects.toMatchObject({
      code: 'WAL_UNSUPPORTED_FILE_SYSTEM',
    });
    expect(system.disk.operations.length).toBe(before);
    await restoreLog(BACKUP, RESTORED, { fileSystem: system, allowNetworkFileSystem: true });
    expect(system.exists(`${RESTORED}/MANIFEST`)).toBe(true);
  });

  it.each([
    ['write', /\.wal\.tmp$/],
    ['data-sync', /\.wal\.tmp$/],
    ['sha256', /\.wal\.tmp$/],
    ['create-zeroed', /\.wal\.tmp$/],
    ['publish', /0000000000000001-0000000000000001\.0\.wal$/],
    ['rename', /MANIFEST$/],
  ] as const)('that fails at a %s of %s leaves no temporary file', async (operation, path) => {
    const system = await backedUp();
    system.faults.plan({ operation, path, effect: { kind: 'error', code: 'ENOSPC' } });
    await expect(restoreLog(BACKUP, RESTORED, { fileSystem: system })).rejects.toMatchObject({
      code: 'ENOSPC',
    });
    expect(system.list(RESTORED).filter((file) => file.endsWith('.tmp'))).toEqual([]);
    expect(system.openFileCount).toBe(0);
  });

  it('of a log without its beginning remembers of which history the last record before it was', async () => {
    const system = SimulatedFileSystem.on();
    const old = await openSimulated(system);
    await fill(old, 1);
    await old.close();
    const source = await openSimulated(system);
    const removed = at(source.lastSequence);
    await fill(source, 3);
    await source.maintenance.removeSegments({ below: at(removed + 1) });
    await source.maintenance.backup(BACKUP);
    // What it names itself leads up to the log's beginning, which has moved on.
    await source.maintenance.removeSegments({ below: source.durableSequence });
    expect(source.firstSequence).toBeGreaterThan(removed + 1);
    await source.maintenance.backup(BACKUP);
    await source.close();
    const report = await restoreLog(BACKUP, RESTORED, { fileSystem: system, upTo: removed });
    const wal = await openAt(system);
    expect(report).toMatchObject({ firstSequence: removed + 1, lastSequence: removed });
    expect(wal.timelineAt(removed)).toBe(old.timeline);
    await wal.close();
  });

  it('that ends early is never taken for a log', async () => {
    const system = await backedUp();
    const stop = new AbortController();
    const restore = restoreLog(BACKUP, RESTORED, {
      fileSystem: system,
      signal: stop.signal,
      onProgress: () => stop.abort(),
    });
    await expect(restore).rejects.toMatchObject({ code: 'WAL_CANCELLED' });
    await expect(openAt(system)).rejects.toMatchObject({ code: 'WAL_MISSING_SEGMENT' });
  });
});

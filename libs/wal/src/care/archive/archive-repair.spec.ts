import { basename } from 'node:path';
import { systemClock } from '@holdfast/kernel';
import { describe, expect, it } from '@jest/globals';
import { WriterLock } from '../../directory/writer-lock.js';
import { HEADER_BLOCK_BYTES } from '../../format/wal-format.js';
import {
  batchAfter,
  type DiskImage,
  LOG,
  openSimulated,
  SimulatedFileSystem,
  textsOf,
  withAbandonedArchive,
} from '../../testing/index.js';
import { ArchiveDirectory } from './archive-directory.js';
import { repairFromArchive } from './archive-repair.js';

const archiveOn = (system: SimulatedFileSystem): ArchiveDirectory =>
  ArchiveDirectory.open('/archive', { create: true, fileSystem: system });

/** A closed log of several segments, all sealed ones archived. */
async function archivedLog(): Promise<{ image: DiskImage; segments: string[]; texts: string[] }> {
  const system = SimulatedFileSystem.on();
  const wal = await openSimulated(system, { archive: archiveOn(system) });
  while (wal.stats().rotations < 3) await wal.append(batchAfter(wal.lastSequence, 3, 900)).durable;
  await wal.maintenance.archiveSealed();
  const texts = await textsOf(wal);
  await wal.close();
  const image = system.disk.image();
  const segments = [...image.files.keys()].filter((path) => /log\/.*\.wal$/.test(path)).sort();
  return { image, segments, texts };
}

describe('repair from the archive', () => {
  it('puts back what is missing or damaged, sets the damaged aside, and changes nothing that is whole', async () => {
    const { image, segments, texts } = await archivedLog();
    const [first, second, third] = segments as [string, string, string];
    const files = new Map(image.files);
    files.delete(second);
    const system = SimulatedFileSystem.on({ ...image, files });
    system.disk.flipBit(first, 12_000);
    system.disk.flipBit(third, 20);
    system.disk.flipBit(third, 4_116);
    await expect(openSimulated(system)).rejects.toMatchObject({
      code: expect.stringMatching(/^WAL_/),
    });
    const report = await repairFromArchive(LOG, archiveOn(system), { fileSystem: system });
    expect(report).toMatchObject({
      compared: 3,
      repaired: [
        { file: first, reason: 'damaged', quarantine: expect.stringContaining('damaged-1') },
        { file: second, reason: 'missing' },
        { file: third, reason: 'damaged' },
      ],
      unverified: [],
    });
    const wal = await openSimulated(system, {}, 2);
    expect(await textsOf(wal)).toEqual(texts);
    expect((await wal.verify()).problems).toEqual([]);
    await wal.close();
    const again = await repairFromArchive(LOG, archiveOn(system), { fileSystem: system });
    expect(again.repaired).toEqual([]);
    expect([system.openFileCount, system.misuses]).toEqual([0, []]);
  });

  it.each(['open', 'read', 'sha256'] as const)(
    'puts back what the disk does not give (%s), and not what a want of descriptors keeps from it',
    async (operation) => {
      const { image, segments, texts } = await archivedLog();
      const second = segments[1]!;
      const path = new RegExp(basename(second).replaceAll('.', '\\.') + '$');
      const system = SimulatedFileSystem.on(image);
      const repair = () => repairFromArchive(LOG, archiveOn(system), { fileSystem: system });
      system.faults.plan({ operation, path, times: 1, effect: { kind: 'error', code: 'EMFILE' } });
      await expect(repair()).rejects.toMatchObject({
        code: expect.stringMatching(/^(EMFILE|WAL_READ_FAILED)$/),
      });
      system.faults.plan({ operation, path, effect: { kind: 'error', code: 'EIO' } });
      expect(await repair()).toMatchObject({
        repaired: [{ file: second, reason: 'damaged', quarantine: expect.any(String) }],
        unverified: [],
      });
      system.faults.clear();
      const wal = await openSimulated(system, {}, 2);
      expect(await textsOf(wal)).toEqual(texts);
      await wal.close();
      expect([system.openFileCount, system.misuses]).toEqual([0, []]);
    },
  );

  it('puts back what a live segment seals of which the disk gives one copy of the header, and names it where it gives neither', async () => {
    const { image, segments } = await archivedLog();
    const [third, newest] = segments.slice(-2) as [string, string];
    const files = new Map(image.files);
    files.delete(third);
    for (const [pages, unverified] of [
      [1, []],
      [2, [expect.stringContaining('the one behind it, which says where it ends')]],
    ] as const) {
      const system = SimulatedFileSystem.on({ ...image, files });
      const open = system.open.bind(system);
      system.open = (path, mode) => {
        const file = open(path, mode);
        const read = file.read.bind(file);
        if (path === newest)
          file.read = (target, position) => {
            if (position < pages * HEADER_BLOCK_BYTES)
              throw Object.assign(new Error('EIO'), { code: 'EIO' });
            return read(target, position);
          };
        return file;
      };
      const report = await repairFromArchive(LOG, archiveOn(system), { fileSystem: system });
      expect(report.unverified).toEqual(unverified);
      expect(report.repaired.map(({ file }) => file)).toEqual(pages === 1 ? [third] : []);
      expect(system.openFileCount).toBe(0);
    }
  });

  it.each([
    ['write', /\.wal-[0-9]+\.tmp$/],
    ['sha256', /\.wal-[0-9]+\.tmp$/],
    ['publish', /\.0\.wal$/],
    ['publish', /damaged-1$/],
  ] as const)('that fails at a %s of %s leaves no temporary file', async (operation, path) => {
    const { image, segments } = await archivedLog();
    const system = SimulatedFileSystem.on(image);
    system.disk.flipBit(segments[0]!, 12_000);
    system.faults.plan({ operation, path, effect: { kind: 'error', code: 'ENOSPC' } });
    const repair = repairFromArchive(LOG, archiveOn(system), { fileSystem: system });
    await expect(repair).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(system.list(LOG).filter((file) => file.endsWith('.tmp'))).toEqual([]);
    expect(system.openFileCount).toBe(0);
  });

  it('does not take from an archive what does not lead up to the segment behind it', async () => {
    const { image, segments } = await archivedLog();
    const other = SimulatedFileSystem.on();
    const stranger = await openSimulated(other, { archive: archiveOn(other) });
    while (stranger.stats().rotations < 3)
      await stranger.append(batchAfter(stranger.lastSequence, 3, 700)).durable;
    await stranger.maintenance.archiveSealed();
    await stranger.close();
    const files = new Map(
      [...image.files].filter(([path]) => !path.startsWith('/archive') && path !== segments[1]),
    );
    for (const [path, content] of other.disk.image().files)
      if (path.startsWith('/archive')) files.set(path, content);
    const system = SimulatedFileSystem.on({ ...image, files });
    const report = await repairFromArchive(LOG, archiveOn(system), { fileSystem: system });
    expect(report).toMatchObject({ compared: 0, repaired: [] });
    expect(report.unverified).toEqual(
      [1, 2, 3].map((segment) => expect.stringContaining(`Segment ${segment} `)),
    );
    await expect(openSimulated(system)).rejects.toMatchObject({ code: 'WAL_MISSING_SEGMENT' });
  });

  it.each([
    ['sets a damaged file aside', false],
    ['publishes a missing one', true],
  ])('is fenced before it %s', async (_, missing) => {
    const { image, segments } = await archivedLog();
    const files = new Map(image.files);
    if (missing) files.delete(segments[1]!);
    const system = SimulatedFileSystem.on({ ...image, files });
    if (!missing) system.disk.flipBit(segments[1]!, 12_000);
    const sha256 = system.sha256.bind(system);
    let before: string[] = [];
    system.sha256 = async (path, bytes) => {
      // The content is ready, and a writer takes over.
      if (path.endsWith('.tmp')) {
        WriterLock.acquire(system.sibling(), LOG, { takeover: true, clock: systemClock });
        before = system.list(LOG).sort();
      }
      return sha256(path, bytes);
    };
    const repair = repairFromArchive(LOG, archiveOn(system), { fileSystem: system });
    await expect(repair).rejects.toMatchObject({ code: 'WAL_FENCED' });
    // Of its own it leaves nothing, and nothing else has changed.
    expect(system.list(LOG).sort()).toEqual(before.filter((file) => !file.endsWith('.tmp')));
    expect(system.exists(`${LOG}/quarantine`)).toBe(false);
  });

  it('leaves alone what it cannot judge, because the header behind it is damaged, when the archive holds a history that was left', async () => {
    const system = await withAbandonedArchive({ rotations: 3 });
    const files = [...system.disk.image().files];
    const segments = files.filter(([path]) => /log\/.*\.wal$/.test(path)).sort();
    const [, , third = ['']] = segments;
    system.disk.flipBit(third[0], 20);
    system.disk.flipBit(third[0], 4_116);
    const before = system.disk.image().files;
    const report = await repairFromArchive(LOG, archiveOn(system), { fileSystem: system });
    expect(report).toMatchObject({
      compared: 1,
      repaired: [],
      unverified: [
        'Segment 2 is not what the archive has, and the one behind it, which says where it ends, is missing or damaged.',
        'Segment 3 is not what the archive has: the archived one is of another history.',
        'Segment 4 is not what the archive has: the archived one is of another history.',
      ],
    });
    for (const [path] of segments)
      expect(system.disk.image().files.get(path)?.equals(before.get(path)!)).toBe(true);
  });

  it('says of which sealed segments the archive has nothing', async () => {
    const { image, segments } = await archivedLog();
    const files = new Map(image.files);
    const [, second] = [...files.keys()].filter((path) => path.endsWith('.walz')).sort();
    files.delete(second!);
    files.delete(segments[1]!);
    const system = SimulatedFileSystem.on({ ...image, files });
    expect(await repairFromArchive(LOG, archiveOn(system), { fileSystem: system })).toEqual({
      compared: 2,
      repaired: [],
      unverified: ['Segment 2 is missing, and not in the archive.'],
    });
  });

  it('refuses a damaged archive, and a log that is being written', async () => {
    const { image, segments } = await archivedLog();
    const files = new Map(image.files);
    files.delete(segments[0]!);
    const system = SimulatedFileSystem.on({ ...image, files });
    const [archived] = [...image.files.keys()].filter((path) => path.endsWith('.walz')).sort();
    system.disk.flipBit(archived!, 8_300);
    const repair = repairFromArchive(LOG, archiveOn(system), { fileSystem: system });
    await expect(repair).rejects.toMatchObject({ code: 'WAL_CORRUPT' });
    const whole = SimulatedFileSystem.on(image);
    const wal = await openSimulated(whole, {}, 2);
    await expect(
      repairFromArchive(LOG, archiveOn(whole), { fileSystem: whole.sibling() }),
    ).rejects.toMatchObject({ code: 'WAL_LOCKED' });
    await wal.close();
  });
});

import { errorMessage } from '@holdfast/kernel';
import { describe, expect, it } from '@jest/globals';
import { withChecksum } from '../../format/checked-lines.js';
import {
  batchAfter,
  type DiskImage,
  LOG,
  openSimulated,
  SimulatedFileSystem,
  simulatedOptions,
  textsOf,
  withAbandonedArchive,
} from '../../testing/index.js';
import { Wal } from '../../wal.js';
import { WalReader } from '../../wal-reader.js';
import { ArchiveDirectory } from './archive-directory.js';
import { openArchiveOf } from './archive-of-log.js';

const ARCHIVE = '/volume/archive';
const empty = { files: new Map<string, Buffer>(), directories: new Set(['/data', '/volume']) };

const archiveOn = (system: SimulatedFileSystem): ArchiveDirectory =>
  ArchiveDirectory.open(ARCHIVE, { create: true, fileSystem: system });

/** A closed log whose first segments are in the archive only. */
async function archivedLog(): Promise<DiskImage> {
  const system = SimulatedFileSystem.on(empty);
  const archive = archiveOn(system);
  for (let sequence = 1; sequence <= 4; sequence++) {
    const wal = await openSimulated(system, { archive }, sequence);
    await wal.append(batchAfter(sequence - 1, 1)).durable;
    await wal.maintenance.archiveSealed();
    await wal.maintenance.removeSegments({ below: wal.lastSequence });
    await wal.close();
  }
  return system.disk.image();
}

function without(image: DiskImage, pattern: RegExp): DiskImage {
  const files = [...image.files].filter(([path]) => !pattern.test(path));
  return { files: new Map(files), directories: image.directories };
}

describe('the archive of a log', () => {
  it('is not begun anew in the place of one that is not mounted, whatever is asked for', async () => {
    const system = SimulatedFileSystem.on(without(await archivedLog(), /\/volume\//));
    const options = { fileSystem: system, create: true, required: true };
    expect(() => openArchiveOf(LOG, ARCHIVE, options)).toThrow(
      expect.objectContaining({ code: 'WAL_ARCHIVE_NOT_FOUND' }),
    );
    expect(() => openArchiveOf(LOG, ARCHIVE, { fileSystem: system })).toThrow(
      expect.objectContaining({ code: 'WAL_ARCHIVE_NOT_FOUND' }),
    );
    // Even when somebody makes one by hand.
    const made = openSimulated(system, { archive: archiveOn(system) }, 9);
    await expect(made).rejects.toMatchObject({ code: 'WAL_MISSING_SEGMENT' });
  });

  it('is made only when asked for, and need not be there for a log that has none', async () => {
    const system = SimulatedFileSystem.on(empty);
    await (await openSimulated(system)).close();
    expect(openArchiveOf(LOG, ARCHIVE, { fileSystem: system })).toBeUndefined();
    expect(() => openArchiveOf(LOG, ARCHIVE, { fileSystem: system, required: true })).toThrow(
      expect.objectContaining({ code: 'WAL_ARCHIVE_NOT_FOUND' }),
    );
    expect(system.exists(ARCHIVE)).toBe(false);
    expect(openArchiveOf(LOG, ARCHIVE, { fileSystem: system, create: true })).toBeDefined();
  });

  it('with a hole is damage for the writer and for readers, where it was a later beginning', async () => {
    const image = await archivedLog();
    for (const number of [1, 2]) {
      const hole = new RegExp(`/volume/.*000${number}-.*walz`);
      const system = SimulatedFileSystem.on(without(image, hole));
      const archive = archiveOn(system);
      const wanted = { code: 'WAL_MISSING_SEGMENT', details: { segment: number } };
      const before = system.disk.image();
      await expect(openSimulated(system, { archive }, 9)).rejects.toMatchObject(wanted);
      expect(without(system.disk.image(), /LOCK|claim/)).toEqual(without(before, /LOCK|claim/));
      await expect(WalReader.open(LOG, { fileSystem: system, archive })).rejects.toMatchObject(
        wanted,
      );
    }
  });

  it('is that of one log: another one, and a new one in the place of a lost one, are refused', async () => {
    const image = await archivedLog();
    const system = SimulatedFileSystem.on(without(image, /\/data\//));
    await expect(openSimulated(system, { archive: archiveOn(system) }, 9)).rejects.toMatchObject({
      code: 'WAL_ARCHIVE_MISMATCH',
    });
    const other = SimulatedFileSystem.on(without(image, /\/data\//));
    await (await openSimulated(other, {}, 10)).close();
    const archive = archiveOn(other);
    await expect(openSimulated(other, { archive }, 11)).rejects.toMatchObject({
      code: 'WAL_ARCHIVE_MISMATCH',
    });
  });

  it('says that it is gone when its volume goes while the log is open', async () => {
    const system = SimulatedFileSystem.on(await archivedLog());
    const archive = archiveOn(system);
    const wal = await openSimulated(system, { archive }, 9);
    await wal.append(batchAfter(4, 1)).durable;
    system.rename('/volume', '/elsewhere');
    system.makeDirectory('/volume');
    system.makeDirectory(ARCHIVE);
    await expect(wal.maintenance.archiveSealed()).rejects.toMatchObject({
      code: 'WAL_ARCHIVE_NOT_FOUND',
    });
    expect(system.list(ARCHIVE)).toEqual([]);
    await wal.close();
  });

  it('of a version that wrote no owner is recognised, and bound to the log whose segments it holds', async () => {
    const image = await archivedLog();
    const marker = Buffer.from(withChecksum(['holdfast-wal-archive 1']), 'latin1');
    const files = new Map(image.files).set(`${ARCHIVE}/ARCHIVE`, marker);
    const system = SimulatedFileSystem.on({ ...image, files });
    const archive = archiveOn(system);
    const wal = await openSimulated(system, { archive }, 9);
    expect(await textsOf(wal)).toHaveLength(4);
    const owner = { logId: wal.logId, firstSegment: 1 };
    await wal.close();
    expect(archiveOn(system).owner).toEqual(owner);
    expect(system.disk.image().files.get(`${ARCHIVE}/ARCHIVE`)?.toString()).toContain(
      `log-id ${owner.logId}`,
    );
  });
});

describe('the mark of an archive', () => {
  it('is damaged with a bit of it flipped, and is written anew as the message says', async () => {
    const system = SimulatedFileSystem.on(await archivedLog());
    const path = `${ARCHIVE}/ARCHIVE`;
    const bytes = system.disk.image().files.get(path)!.length;
    let message = '';
    for (let byte = 0; byte < bytes; byte++) {
      system.disk.flipBit(path, byte, byte % 8);
      message = refusal(() => archiveOn(system), 'WAL_CORRUPT');
      system.disk.flipBit(path, byte, byte % 8);
    }
    const asked = /printf '(.*)' > \/volume\/archive\/ARCHIVE/.exec(message)?.[1] ?? '';
    write(system, path, asked.replaceAll('\\n', '\n'));
    const wal = await openSimulated(system, { archive: archiveOn(system) }, 9);
    expect(await textsOf(wal)).toHaveLength(4);
    await wal.close();
  });

  it('is of a newer version only where it is sound and has another title', () => {
    const system = SimulatedFileSystem.on(empty);
    archiveOn(system);
    write(system, `${ARCHIVE}/ARCHIVE`, withChecksum(['holdfast-wal-archive 2', 'more']));
    refusal(() => archiveOn(system), 'WAL_UNSUPPORTED_FORMAT');
  });

  function refusal(work: () => unknown, code: string): string {
    try {
      work();
    } catch (error) {
      expect(error).toMatchObject({ code });
      return errorMessage(error);
    }
    throw new Error('it was not refused');
  }

  function write(system: SimulatedFileSystem, path: string, text: string): void {
    system.unlink(path);
    const file = system.open(path, 'create');
    file.write(Buffer.from(text, 'latin1'), 0);
    file.close();
  }
});

describe('two writers of one archive', () => {
  it('never link what the other has half written', async () => {
    const stopped = SimulatedFileSystem.on(empty);
    const first = await openSimulated(stopped, { archive: archiveOn(stopped) });
    await first.append(batchAfter(0, 1)).durable;
    await first.close();
    // The first is stopped before it links its file, the second before it has written its own.
    const held = await openSimulated(stopped, { archive: archiveOn(stopped) }, 2);
    const [reached, released] = [
      Promise.withResolvers<undefined>(),
      Promise.withResolvers<undefined>(),
    ];
    const publish = stopped.publish.bind(stopped);
    stopped.publish = async (from, to) => {
      reached.resolve(undefined);
      await released.promise;
      await publish(from, to);
    };
    const archiving = held.maintenance.archiveSealed();
    archiving.catch(() => undefined);
    await reached.promise;
    const successor = stopped.sibling();
    const second = await openSimulated(
      successor,
      { archive: archiveOn(successor), takeover: true },
      3,
    );
    const compressing = Promise.withResolvers<undefined>();
    successor.compress = () => {
      compressing.resolve(undefined);
      return new Promise(() => undefined);
    };
    void second.maintenance.archiveSealed().catch(() => undefined);
    await compressing.promise;
    released.resolve(undefined);
    await archiving.catch(() => undefined);
    successor.kill();
    const after = successor.sibling();
    const wal = await openSimulated(after, { archive: archiveOn(after), takeover: true }, 4);
    expect((await wal.maintenance.archiveSealed()).archivedSequence).toBe(1);
    expect(after.list(ARCHIVE).filter((file) => file.endsWith('.tmp'))).toEqual([]);
    expect(await textsOf(wal)).toHaveLength(1);
    await wal.close();
  });

  it.each([
    ['of another log', true],
    ['without an owner', false],
  ])('in whose place one %s appears is not used, and the log goes on', async (_, owned) => {
    const system = SimulatedFileSystem.on(empty);
    const options = { create: true, fileSystem: system };
    const other = ArchiveDirectory.open('/volume/other', options);
    if (owned) {
      const wal = await Wal.open('/data/other', {
        ...simulatedOptions(system, 20),
        archive: other,
      });
      await wal.close();
    }
    await (await openSimulated(system, { archive: archiveOn(system) }, 1)).close();
    const wal = await openSimulated(system, { archive: archiveOn(system) }, 2);
    await wal.append(batchAfter(0, 1)).durable;
    await wal.maintenance.archiveSealed();
    const manifest = system.disk.image().files.get(`${LOG}/MANIFEST`);
    system.rename(ARCHIVE, '/volume/away');
    system.rename('/volume/other', ARCHIVE);
    const before = system.list(ARCHIVE);
    const refused = { code: 'WAL_ARCHIVE_MISMATCH' };
    await expect(wal.maintenance.archiveSealed()).rejects.toMatchObject(refused);
    await expect(wal.maintenance.removeSegments({ below: wal.lastSequence })).rejects.toMatchObject(
      refused,
    );
    expect(system.list(ARCHIVE)).toEqual(before);
    expect(system.disk.image().files.get(`${LOG}/MANIFEST`)).toEqual(manifest);
    await wal.append(batchAfter(1, 1)).durable;
    system.rename(ARCHIVE, '/volume/other');
    system.rename('/volume/away', ARCHIVE);
    await wal.maintenance.removeSegments({ below: wal.lastSequence });
    await wal.close();
    const again = await openSimulated(system, { archive: archiveOn(system) }, 3);
    expect(await textsOf(again)).toHaveLength(2);
    await again.close();
  });

  it('whose files another history was copied over lets nothing leave the log', async () => {
    const { files, directories } = (await withAbandonedArchive({ rotations: 3 })).disk.image();
    const [archived, own] = [true, false].map((isArchived) =>
      [...files].filter(([path]) => path.startsWith('/archive') === isArchived),
    );
    const system = SimulatedFileSystem.on({ files: new Map(own), directories });
    const archive = ArchiveDirectory.open('/archive', { create: true, fileSystem: system });
    const wal = await openSimulated(system, { archive }, 9);
    await wal.maintenance.archiveSealed();
    const texts = await textsOf(wal);
    let overwritten = 0;
    for (const [path, content] of archived ?? []) {
      if (!system.exists(path) || !path.endsWith('.walz')) continue;
      const file = system.open(path, 'write');
      file.truncate(content.length);
      file.write(content, 0);
      file.close();
      overwritten++;
    }
    expect(overwritten).toBeGreaterThan(2);
    const removal = wal.maintenance.removeSegments({ below: wal.lastSequence });
    expect(await removal.then((report) => report.segments.length)).toBeLessThan(2);
    await wal.close();
    const alone = [...system.disk.image().files].filter(([path]) => !path.startsWith('/archive'));
    const again = await openSimulated(
      SimulatedFileSystem.on({ files: new Map(alone), directories }),
      {},
      10,
    );
    expect(await textsOf(again)).toEqual(texts.slice(again.firstSequence - 1));
    await again.close();
  });

  it('of which a copy lacks a segment is looked at before MANIFEST says that more has left', async () => {
    const system = SimulatedFileSystem.on(await archivedLog());
    const archive = archiveOn(system);
    const wal = await openSimulated(system, { archive }, 9);
    const first = wal.firstSequence;
    await wal.append(batchAfter(wal.lastSequence, 1)).durable;
    await wal.maintenance.archiveSealed();
    const [oldest] = archive.segments();
    system.makeDirectory('/volume/copy');
    for (const name of system.list(ARCHIVE)) {
      const path = `${ARCHIVE}/${name}`;
      if (path === oldest?.path) continue;
      const content = system.disk.image().files.get(path) ?? Buffer.alloc(0);
      const file = system.open(`/volume/copy/${name}`, 'create');
      file.write(content, 0);
      file.close();
    }
    const manifest = system.disk.image().files.get(`${LOG}/MANIFEST`);
    system.rename(ARCHIVE, '/volume/away');
    system.rename('/volume/copy', ARCHIVE);
    await expect(wal.maintenance.removeSegments({ below: wal.lastSequence })).rejects.toMatchObject(
      {
        code: 'WAL_MISSING_SEGMENT',
      },
    );
    expect(system.disk.image().files.get(`${LOG}/MANIFEST`)).toEqual(manifest);
    expect(wal.firstSequence).toBe(first);
    await wal.close();
  });

  it.each(['EROFS', 'EACCES'])(
    'that an earlier version made is used where it cannot be written (%s)',
    async (code) => {
      const image = await archivedLog();
      const unmarked = Buffer.from(withChecksum(['holdfast-wal-archive 1']), 'latin1');
      const files = new Map(image.files).set(`${ARCHIVE}/ARCHIVE`, unmarked);
      const system = SimulatedFileSystem.on({ ...image, files });
      const archive = ArchiveDirectory.open(ARCHIVE, { fileSystem: system });
      system.faults.plan({ operation: 'open', path: /ARCHIVE-/, effect: { kind: 'error', code } });
      const wal = await openSimulated(system, { archive }, 9);
      expect(await textsOf(wal)).toHaveLength(4);
      await wal.close();
    },
  );
});

import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { NodeFileSystem } from '../../disk/node-file-system.js';
import { compressBlock } from '../../format/block-codec.js';
import {
  afterPowerCut,
  batchAfter,
  LOG,
  openSimulated,
  SimulatedFileSystem,
  simulatedOptions,
  textsOf,
} from '../../testing/index.js';
import { Wal } from '../../wal.js';
import { WalReader } from '../../wal-reader.js';
import { BEFORE_FIRST, type Sequence } from '../../wal.types.js';
import { restoreLog } from '../backup/restore.js';
import { ArchiveDirectory } from './archive-directory.js';

const ARCHIVE = '/data/archive';
const at = (sequence: number): Sequence => sequence as Sequence;

const archiveOn = (system: SimulatedFileSystem): ArchiveDirectory =>
  ArchiveDirectory.open(ARCHIVE, { create: true, fileSystem: system });

async function fill(wal: Wal, rotations: number): Promise<void> {
  const target = wal.stats().rotations + rotations;
  while (wal.stats().rotations < target)
    await wal.append(batchAfter(wal.lastSequence, 3, 900)).durable;
}

interface Log {
  readonly system: SimulatedFileSystem;
  readonly archive: ArchiveDirectory;
  readonly wal: Wal;
}

async function logWithArchive(rotations: number, system = directory()): Promise<Log> {
  const archive = archiveOn(system);
  const wal = await openSimulated(system, { archive });
  await fill(wal, rotations);
  return { system, archive, wal };
}

function directory(): SimulatedFileSystem {
  return SimulatedFileSystem.on({ files: new Map(), directories: new Set(['/data', LOG]) });
}

const archived = (system: SimulatedFileSystem): string[] =>
  system.list(ARCHIVE).filter((file) => file.endsWith('.walz'));

describe('the archive', () => {
  it('takes sealed segments, keeps a floor, and what was removed from the log is read from it', async () => {
    const { system, archive, wal } = await logWithArchive(3);
    const everything = await textsOf(wal);
    const late = wal.maintenance.planRemoval({ below: at(wal.lastSequence) });
    expect([late.segments, late.pinnedBy.map(({ name }) => name)]).toEqual([[], ['archive']]);
    const seen: number[] = [];
    const report = await wal.maintenance.archiveSealed({
      onProgress: ({ bytesDone }) => seen.push(bytesDone),
    });
    expect(report).toMatchObject({
      segments: 3,
      archivedSequence: wal.floors.all().get('archive'),
    });
    expect(report.storedBytes).toBeLessThan(report.bytes);
    expect(seen.at(-1)).toBe(report.bytes);
    const removed = await wal.maintenance.removeSegments({ below: at(wal.lastSequence) });
    // The one that holds the floor stays.
    expect(removed.segments).toHaveLength(2);
    const reader = await WalReader.open(LOG, { fileSystem: system.sibling(), archive });
    const without = await WalReader.open(LOG, { fileSystem: system.sibling() });
    for (const source of [wal, reader]) {
      expect(source.firstSequence).toBe(1);
      expect(await textsOf(source)).toEqual(everything);
      expect(Buffer.from(source.recordAt(at(2))!.payload).toString()).toMatch(/^2:/);
      expect(source.timelineAt(at(1))).toBe(wal.timeline);
      expect((await source.verify()).problems).toEqual([]);
    }
    expect([...reader.frames({ after: BEFORE_FIRST })][0]).toMatchObject({ firstSequence: 1 });
    const newest = wal.segments().at(-1)!.name;
    expect(await wal.maintenance.scrub({ bytesPerSecond: 1e12 })).toMatchObject({
      ...{ segments: 3, problems: [], lastSequence: newest.firstSequence - 1 },
    });
    expect(without.firstSequence).toBe(removed.firstSequence);
    expect(wal.stats()).toMatchObject({ archivedSegments: 2 });
    expect(wal.stats().liveBytes).toBeLessThan(wal.stats().logBytes);
    await Promise.all([wal.close(), reader.close(), without.close()]);
    expect([system.openFileCount, system.misuses]).toEqual([0, []]);
  });

  it.each(['write', 'publish'] as const)(
    'leaves no temporary file of a segment whose %s fails',
    async (operation) => {
      const { system, wal } = await logWithArchive(2);
      const effect = { kind: 'error', code: 'ENOSPC' } as const;
      system.faults.plan({ operation, path: /archive\/.*walz/, effect });
      await expect(wal.maintenance.archiveSealed()).rejects.toMatchObject({ code: 'ENOSPC' });
      expect(system.list(ARCHIVE).filter((file) => file.endsWith('.tmp'))).toEqual([]);
      await wal.close();
    },
  );

  it('is not missed by whoever follows the end, while its volume is away', async () => {
    const { system, archive, wal } = await logWithArchive(3);
    await wal.maintenance.archiveSealed();
    await wal.maintenance.removeSegments({ below: at(wal.lastSequence) });
    const disk = system.sibling();
    const seen = ArchiveDirectory.open(ARCHIVE, { fileSystem: disk });
    const reader = await WalReader.open(LOG, { fileSystem: disk, archive: seen });
    const last = reader.durableSequence;
    const [mark, away] = [`${ARCHIVE}/ARCHIVE`, `${ARCHIVE}/away`];
    system.rename(mark, away);
    await fill(wal, 2);
    expect(await reader.scan(last, () => undefined)).toBe(wal.lastSequence);
    expect(reader.firstSequence).toBe(1);
    system.rename(away, mark);
    // What has left the log since is there only: without it nobody knows where the log begins.
    await wal.maintenance.archiveSealed();
    await wal.maintenance.removeSegments({ below: at(wal.lastSequence) });
    system.rename(mark, away);
    expect(() => reader.segments()).toThrow(
      expect.objectContaining({ code: 'WAL_ARCHIVE_NOT_FOUND' }),
    );
    system.rename(away, mark);
    expect(await textsOf(reader)).toEqual(await textsOf(wal));
    await Promise.all([wal.close(), reader.close(), archive.close(), seen.close()]);
  });

  it.each([2, 8])('is not listed again for each of %i segments', async (segments) => {
    const { system, wal } = await logWithArchive(segments);
    const list = jest.spyOn(system, 'list');
    expect(await wal.maintenance.archiveSealed()).toMatchObject({ segments });
    const listed = list.mock.calls.filter(([directory]) => directory === ARCHIVE);
    // To know what is there, and to remove what other writers have left.
    expect(listed).toHaveLength(2);
    list.mockClear();
    expect(await wal.maintenance.archiveSealed()).toMatchObject({ segments: 0 });
    expect(list.mock.calls.filter(([directory]) => directory === ARCHIVE)).toHaveLength(1);
    await wal.close();
  });

  it('has everything after a power cut that the floor says it has', async () => {
    const { system, wal } = await logWithArchive(3);
    const everything = await textsOf(wal);
    await wal.maintenance.archiveSealed();
    await wal.maintenance.removeSegments({ below: at(wal.lastSequence) });
    await wal.close();
    const after = SimulatedFileSystem.on(afterPowerCut(system.disk));
    const again = await openSimulated(after, { archive: archiveOn(after) }, 2);
    expect(await textsOf(again)).toEqual(everything);
    await again.close();
  });

  it('does nothing twice: what is there is compared, and another content is never overwritten', async () => {
    const { system, wal, archive } = await logWithArchive(2);
    const first = await wal.maintenance.archiveSealed();
    const image = system.disk.image();
    expect(await wal.maintenance.archiveSealed()).toEqual({
      ...first,
      segments: 0,
      bytes: 0,
      storedBytes: 0,
    });
    // As after a crash before the floor moved.
    wal.floors.set('archive', BEFORE_FIRST);
    expect(await wal.maintenance.archiveSealed()).toMatchObject({
      segments: 0,
      archivedSequence: first.archivedSequence,
    });
    const [file] = archived(system);
    expect(system.disk.image().files.get(`${ARCHIVE}/${file}`)).toEqual(
      image.files.get(`${ARCHIVE}/${file}`),
    );
    system.disk.flipBit(`${ARCHIVE}/${file}`, 8_300);
    wal.floors.set('archive', BEFORE_FIRST);
    await expect(wal.maintenance.archiveSealed()).rejects.toMatchObject({
      code: 'WAL_ARCHIVE_CONFLICT',
    });
    expect(wal.floors.all().get('archive')).toBe(0);
    expect(archive.segments()).toHaveLength(2);
    await wal.close();
  });

  it('does not take a segment that has rotted in the log', async () => {
    const { system, wal } = await logWithArchive(2);
    const [first] = system
      .list(LOG)
      .filter((file) => file.endsWith('.wal'))
      .sort();
    system.disk.flipBit(`${LOG}/${first}`, 10_000);
    await expect(wal.maintenance.archiveSealed()).rejects.toMatchObject({ code: 'WAL_CORRUPT' });
    expect(system.list(ARCHIVE)).toEqual(['ARCHIVE']);
    expect(wal.floors.all().has('archive')).toBe(false);
    await wal.close();
  });

  it.each(['write', 'data-sync', 'publish', 'sync-directory', 'sha256'] as const)(
    'moves no floor when a %s there fails, and goes on when it is asked again',
    async (operation) => {
      const { system, wal } = await logWithArchive(2);
      const end = system.faults.plan({
        operation,
        path: /archive/,
        effect: { kind: 'error', code: 'EIO' },
      });
      await expect(wal.maintenance.archiveSealed()).rejects.toMatchObject({ code: 'EIO' });
      expect(wal.floors.all().has('archive')).toBe(false);
      end();
      await wal.maintenance.archiveSealed();
      expect(archived(system)).toHaveLength(2);
      expect(system.list(ARCHIVE).filter((file) => file.endsWith('.tmp'))).toEqual([]);
      expect(wal.poison).toBeUndefined();
      await wal.close();
      expect(system.openFileCount).toBe(0);
    },
  );

  it('takes a segment too whose footer could not be written when it was sealed', async () => {
    const { system, wal } = await logWithArchive(1);
    const end = system.faults.plan({
      operation: 'sha256',
      path: /log/,
      effect: { kind: 'error', code: 'EIO' },
    });
    await fill(wal, 1);
    await wal.maintenance.removeSegments({ below: BEFORE_FIRST });
    end();
    expect(await wal.maintenance.archiveSealed()).toMatchObject({ segments: 2 });
    await wal.close();
  });

  it('can be stopped between blocks', async () => {
    const { system, wal } = await logWithArchive(2);
    const stop = new AbortController();
    const archiving = wal.maintenance.archiveSealed({
      signal: stop.signal,
      onProgress: () => stop.abort(),
    });
    await expect(archiving).rejects.toMatchObject({ code: 'WAL_CANCELLED' });
    expect(archived(system).length).toBeLessThan(2);
    await wal.maintenance.archiveSealed();
    expect(archived(system)).toHaveLength(2);
    await wal.close();
  });

  it('is refused when it belongs to another log, or to another history of this one', async () => {
    const { system, wal } = await logWithArchive(2);
    await wal.maintenance.archiveSealed();
    await wal.maintenance.removeSegments({ below: at(wal.lastSequence) });
    await wal.close();
    const image = system.disk.image();
    const without = new Map([...image.files].filter(([path]) => !path.startsWith(ARCHIVE)));
    // Seed 1 again: the same log id and timeline, with other records.
    for (const [seed, bytes] of [
      [5, 900],
      [1, 700],
    ] as const) {
      const other = directory();
      const stranger = await openSimulated(other, { archive: archiveOn(other) }, seed);
      while (stranger.stats().rotations < 2)
        await stranger.append(batchAfter(stranger.lastSequence, 3, bytes)).durable;
      await stranger.maintenance.archiveSealed();
      await stranger.close();
      const foreign = [...other.disk.image().files].filter(([path]) => path.startsWith(ARCHIVE));
      const files = new Map([...without, ...foreign]);
      const mixed = SimulatedFileSystem.on({ files, directories: image.directories });
      const before = segmentsAndManifest(mixed);
      const archive = archiveOn(mixed);
      await expect(openSimulated(mixed, { archive }, 9)).rejects.toMatchObject({
        code: 'WAL_ARCHIVE_MISMATCH',
      });
      await expect(WalReader.open(LOG, { fileSystem: mixed, archive })).rejects.toMatchObject({
        code: 'WAL_ARCHIVE_MISMATCH',
      });
      expect(segmentsAndManifest(mixed)).toEqual(before);
    }
  });

  it('takes no other generation of a segment from another history of the log', async () => {
    const { system, wal } = await logWithArchive(3);
    await wal.maintenance.backup('/backup');
    const policy = { below: wal.durableSequence, drop: (it: Sequence) => it % 3 !== 0 };
    await wal.maintenance.compact(policy);
    await wal.maintenance.archiveSealed();
    await wal.close();
    const [second = ''] = archived(system).filter((file) => /0{15}2-/.test(file));
    expect(second).toMatch(/\.1\.walz$/);
    // Within segment 2: what was archived behind that place is of the history that the restore took back.
    const upTo = at(Number.parseInt(second.split('-')[1] ?? '', 16) + 4);
    const before = archived(system);
    await restoreLog('/backup', '/data/restored', { upTo, fileSystem: system });
    const again = await Wal.open('/data/restored', {
      ...simulatedOptions(system, 9),
      ...{ create: false, archive: archiveOn(system) },
    });
    await fill(again, 1);
    await expect(again.maintenance.archiveSealed()).rejects.toMatchObject({
      code: 'WAL_ARCHIVE_CONFLICT',
    });
    // The first one is of both.
    const added = archived(system).filter((file) => !before.includes(file));
    expect(added).toEqual(before.slice(0, 1).map((file) => file.replace('.1.', '.0.')));
    await again.close();
  });

  it('notices every flipped bit of what it is asked for', async () => {
    const { system, wal, archive } = await logWithArchive(1);
    await wal.maintenance.archiveSealed();
    await wal.close();
    const [file] = archived(system);
    const size = system.disk.image().files.get(`${ARCHIVE}/${file}`)!.length;
    const meaningful = (offset: number): boolean =>
      offset < 160 || (offset >= 4096 && offset < 4216) || offset >= 8192;
    for (let offset = 0; offset < size; offset += 1 + (offset % 13)) {
      if (!meaningful(offset)) continue;
      system.disk.flipBit(`${ARCHIVE}/${file}`, offset, offset % 8);
      await expect(readsBack(system)).resolves.toBe(false);
      system.disk.flipBit(`${ARCHIVE}/${file}`, offset, offset % 8);
    }
    await expect(readsBack(system)).resolves.toBe(true);
    expect(archive.segments()).toHaveLength(1);
  });
});

function segmentsAndManifest(system: SimulatedFileSystem): [string, Buffer][] {
  return [...system.disk.image().files].filter(([path]) => /\.wal$|MANIFEST/.test(path));
}

async function readsBack(system: SimulatedFileSystem): Promise<boolean> {
  try {
    const archive = archiveOn(system);
    const [segment] = archive.segments();
    return Buffer.from(await archive.sha256(segment!)).toString('hex') === segment!.sha256;
  } catch (error) {
    expect(error).toMatchObject({
      code: expect.stringMatching(/^WAL_(CORRUPT|UNSUPPORTED_FORMAT)$/),
    });
    return false;
  }
}

describe('an archive on a real disk', () => {
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'archive-'));
  });

  afterEach(() => rmSync(root, { recursive: true }));

  it('is compressed, survives reopening, and is read in any order', async () => {
    const archive = ArchiveDirectory.open(join(root, 'archive'), { create: true });
    const options = { create: true, archive, frameBytesMax: 64 * 1024, segmentBytes: 512 * 1024 };
    const wal = await Wal.open(join(root, 'log'), options);
    while (wal.stats().rotations < 3)
      await wal.append(batchAfter(wal.lastSequence, 20, 1_000)).durable;
    const report = await wal.maintenance.archiveSealed();
    expect(report.segments).toBe(3);
    expect(report.storedBytes).toBeLessThan(report.bytes / 4);
    await wal.maintenance.removeSegments({ below: wal.lastSequence });
    await wal.close();
    await archive.close();
    const reopened = ArchiveDirectory.open(join(root, 'archive'));
    const files = reopened.segments().map(({ path }) => statSync(path).size);
    expect(files.reduce((sum, size) => sum + size, 0)).toBe(report.storedBytes);
    const reader = await WalReader.open(join(root, 'log'), { archive: reopened });
    expect((await textsOf(reader)).length).toBe(reader.durableSequence);
    for (let sequence = reader.durableSequence; sequence > 0; sequence = at(sequence - 97))
      expect(Buffer.from(reader.recordAt(sequence)!.payload).toString()).toMatch(`${sequence}:`);
    expect((await reader.verify()).problems).toEqual([]);
    await reader.close();
    await reopened.close();
  });

  it('is compressed in the background worker as it is on the main thread', async () => {
    const fileSystem = new NodeFileSystem();
    const bytes = Buffer.concat([Buffer.from('some text '.repeat(9_000)), randomBytes(70_000)]);
    const expected: Uint8Array[] = [];
    for (let start = 0; start < bytes.length; start += 65_536)
      expected.push(compressBlock(bytes.subarray(start, start + 65_536)));
    const blocks = await fileSystem.compress(bytes, 65_536);
    expect(blocks.map((block) => Buffer.from(block))).toEqual(
      expected.map((block) => Buffer.from(block)),
    );
    await fileSystem.close();
  });

  it('is not made unless asked', () => {
    expect(() => ArchiveDirectory.open(join(root, 'none'))).toThrow(
      expect.objectContaining({ code: 'WAL_ARCHIVE_NOT_FOUND' }),
    );
  });
});

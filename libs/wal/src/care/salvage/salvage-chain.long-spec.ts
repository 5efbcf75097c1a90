import { describe, expect, it } from '@jest/globals';
import { formatSegmentName, parseSegmentName } from '../../format/segment-name.js';
import {
  batchAfter,
  type DiskImage,
  LOG,
  openSimulated,
  SimulatedFileSystem,
  textsOf,
  withAbandonedArchive,
} from '../../testing/index.js';
import { Wal } from '../../wal.js';
import { WalReader } from '../../wal-reader.js';
import { BEFORE_FIRST, type Durability, type Sequence } from '../../wal.types.js';
import { ArchiveDirectory } from '../archive/archive-directory.js';
import { restoreLog } from '../backup/restore.js';
import { salvage, type SalvageReport } from './salvage.js';

const TARGET = '/data/salvaged';

const textOf = (text: string): Buffer => Buffer.from(text);

async function salvaged(
  system: SimulatedFileSystem,
  archive?: ArchiveDirectory,
): Promise<{ report: SalvageReport; texts: string[] }> {
  const report = await salvage(LOG, TARGET, {
    fileSystem: system,
    ...(archive !== undefined && { archive }),
  });
  const wal = await Wal.open(TARGET, { fileSystem: system });
  const texts = await textsOf(wal);
  expect((await wal.verify()).problems).toEqual([]);
  await wal.close();
  return { report, texts };
}

/** A writer that is taken over, wakes up, and writes a record of which it then learns that it is nobody's. */
async function takenOver(durability: Durability): Promise<SimulatedFileSystem> {
  const stopped = SimulatedFileSystem.on();
  const first = await openSimulated(stopped, { durability });
  await first.append([textOf('one'), textOf('two')], { durability: 'sync' }).durable;
  const second = await openSimulated(stopped.sibling(), { takeover: true, durability }, 2);
  // Waits until the successor has written the footer behind the length that it has sealed.
  await second.maintenance.removeSegments({ below: BEFORE_FIRST });
  const { durable } = first.append([textOf('phantom')]);
  await expect(durable).rejects.toMatchObject({ code: 'WAL_FENCED' });
  await second.append([textOf('three')], { durability: 'sync' }).durable;
  await Promise.all([first.close(), second.close()]);
  return stopped.sibling();
}

describe('salvaging a log that was taken over', () => {
  it.each<Durability>(['sync', 'interval', 'none'])(
    'brings over what the successor acknowledged, and names what the old writer left (%s)',
    async (durability) => {
      const { report, texts } = await salvaged(await takenOver(durability));
      expect(texts).toEqual(['1=one', '2=two.', '3=three.']);
      expect(report.leftOut).toEqual([
        expect.objectContaining({
          firstSequence: 3,
          lastSequence: 3,
          mayBeAcknowledged: durability !== 'sync',
        }),
      ]);
      expect(report).toMatchObject({ missing: [], losses: [], lastSequence: 3 });
    },
  );

  it('takes of two segments of one number the one that the next goes on from', async () => {
    const { image, other } = await forked();
    const system = SimulatedFileSystem.on(image);
    const { report, texts } = await salvaged(system);
    expect(texts).toEqual(['1=1', '2=b2', '3=b3', '4=b4'].map((text) => `${text}.`));
    expect(report.leftOut).toEqual([
      { file: other, firstSequence: 2, lastSequence: 3, mayBeAcknowledged: true },
    ]);
  });

  it('says that a segment is missing also where a record of the old writer has its place', async () => {
    const system = await takenOver('sync');
    const third = await openSimulated(system, {}, 3);
    await third.append([textOf('four')]).durable;
    await third.close();
    const [, second] = segmentsOf(system);
    system.unlink(`${LOG}/${second ?? ''}`);
    const { report } = await salvaged(system);
    expect(report.losses).toContainEqual({
      ...{ file: LOG, from: 0, to: 0 },
      reason: 'segment 2 is missing',
    });
  });
});

describe('salvaging with the archive of a history that the log has left', () => {
  type Damage = readonly [number: number, damagedAt?: number];
  const headersOf = (numbers: readonly number[]): readonly Damage[] =>
    numbers.map((number) => [number, 20]);

  async function damagedOf(
    which: 'old' | 'new',
    damages: readonly Damage[],
  ): Promise<{ report: SalvageReport; texts: string[] }> {
    const system = await withAbandonedArchive({ rotations: 3 }, which);
    const segments = segmentsOf(system);
    for (const [number, damagedAt] of damages) {
      const path = `${LOG}/${segments[number - 1] ?? ''}`;
      if (damagedAt === undefined) system.unlink(path);
      else for (const at of [damagedAt, damagedAt + 4_096]) system.disk.flipBit(path, at);
    }
    return salvaged(system, ArchiveDirectory.open('/archive', { fileSystem: system }));
  }

  it.each<[string, readonly Damage[]]>([
    ['is whole', []],
    ['has a damaged frame', [[2, 9_000]]],
    ['has a damaged header where it forks', headersOf([2])],
    ['has a damaged header before its end', headersOf([3])],
    ['has a damaged header at its end', headersOf([4])],
    ['has lost its last segment', [[4]]],
    ['has damaged headers where it forks', headersOf([2, 3])],
    ['has damaged headers up to its end', headersOf([3, 4])],
    ['has damaged headers from where it forks up to its end', headersOf([2, 3, 4])],
    ['has lost all segments since it forked, but the last', [[2], [3]]],
    ['has lost two segments before its end', [[2, 20], [3]]],
  ])(
    'brings nothing of it over where the log %s, and all where the log is the one of the archive',
    async (_, damages) => {
      const { texts, report } = await damagedOf('new', damages);
      expect(texts.filter((text) => text.includes('old'))).toEqual([]);
      expect(texts.slice(0, 4)).toEqual(Array(4).fill(expect.stringContaining('=both')));
      expect(report.leftOut.length).toBeGreaterThan(0);
      expect(report.leftOut.every(({ mayBeAcknowledged }) => mayBeAcknowledged)).toBe(true);
      const own = await damagedOf('old', damages);
      expect(own.texts).toEqual((await damagedOf('old', [])).texts);
    },
  );

  /** Restored from a backup of the log whose archive it is, and gone on for twenty records; with an archive of its own from then on, or none. */
  async function restoredUpTo(upTo: number, own: boolean): Promise<SimulatedFileSystem> {
    const system = SimulatedFileSystem.on({ files: new Map(), directories: new Set(['/data']) });
    const fill = async (letter: string, directory?: string): Promise<void> => {
      const archive =
        directory && ArchiveDirectory.open(directory, { create: true, fileSystem: system });
      const wal = await openSimulated(system, archive ? { archive } : {}, letter.length);
      for (let record = 0; record < 20; record++)
        await wal.append([Buffer.from(letter.padEnd(4_001))]).durable;
      if (archive) await wal.maintenance.archiveSealed();
      if (letter === 'old') await wal.maintenance.backup('/data/backup');
      await wal.close();
    };
    await fill('old', '/data/archive');
    for (const file of system.list(LOG)) system.unlink(`${LOG}/${file}`);
    await restoreLog('/data/backup', LOG, { upTo: upTo as Sequence, fileSystem: system });
    await fill('newer', own ? '/data/own' : undefined);
    return system;
  }

  it.each<[string, number, boolean, number, readonly Damage[]]>([
    ['the names of the live files contradict it', 3, false, 3, headersOf([1, 2, 3, 4])],
    ['nothing is known behind what goes on from the log', 6, false, 2, [[2, 20], [3]]],
    ['the floor is of another archive', 6, true, 3, [[2, 20], [3]]],
    ['the floor is of another archive, and further', 6, true, 2, [[2, 20], [3]]],
  ])('brings nothing over that a restore took back: %s', async (_, upTo, own, kept, damages) => {
    const system = await restoredUpTo(upTo, own);
    for (const file of archived(system).slice(kept)) system.unlink(`/data/archive/${file}`);
    const names = segmentsOf(system);
    const truth = await textsOfOpened(system);
    for (const [number, damagedAt] of damages) {
      const path = `${LOG}/${names[number - 1] ?? ''}`;
      if (damagedAt === undefined) system.unlink(path);
      else for (const at of [damagedAt, damagedAt + 4_096]) system.disk.flipBit(path, at);
    }
    const archive = ArchiveDirectory.open('/data/archive', { fileSystem: system });
    const { texts, report } = await salvaged(system, archive);
    const brief = (all: readonly string[]): string[] => all.map((text) => text.slice(0, 8));
    const first = parseSegmentName(names[damages.at(-1)?.[0] ?? 0] ?? '')?.firstSequence ?? 0;
    const whole = truth.filter((_, at) => at < upTo || at >= first - 1);
    expect(brief(texts)).toEqual(brief(whole));
    expect(report.leftOut.length).toBeGreaterThan(0);
  });

  it('brings over what the floor of the archive proves to be missing', async () => {
    const system = SimulatedFileSystem.on({ files: new Map(), directories: new Set(['/data']) });
    const archive = ArchiveDirectory.open('/data/archive', { create: true, fileSystem: system });
    for (let sequence = 1; sequence <= 4; sequence++) {
      const wal = await openSimulated(system, { archive }, sequence);
      await wal.append(batchAfter(sequence - 1, 1)).durable;
      await wal.maintenance.archiveSealed();
      await wal.close();
    }
    const written = await textsOfOpened(system);
    const [, ...others] = segmentsOf(system);
    for (const file of [...others, 'WATERMARK']) system.unlink(`${LOG}/${file}`);
    const { report, texts } = await salvaged(system, archive);
    expect(texts).toEqual(written.slice(0, 3));
    expect(report).toMatchObject({ lastSequence: 3, leftOut: [] });
  });

  it('brings over what the watermark proves to be missing', async () => {
    const system = await withAbandonedArchive({ rotations: 3 }, 'old');
    const texts = await textsOfOpened(system);
    const segments = segmentsOf(system);
    for (const file of segments.slice(1, -1)) system.unlink(`${LOG}/${file}`);
    const archive = ArchiveDirectory.open('/archive', { fileSystem: system });
    const found = await salvaged(system, archive);
    expect(found.texts).toEqual(texts);
    const system2 = await withAbandonedArchive({ rotations: 3 }, 'old');
    for (const file of segments.slice(1)) system2.unlink(`${LOG}/${file}`);
    const archive2 = ArchiveDirectory.open('/archive', { fileSystem: system2 });
    const most = await salvaged(system2, archive2);
    expect(most.texts.length).toBeGreaterThan(texts.length / 2);
    expect(texts.slice(0, most.texts.length)).toEqual(most.texts);
  });
});

async function textsOfOpened(system: SimulatedFileSystem): Promise<string[]> {
  const copy = SimulatedFileSystem.on(system.disk.image());
  const wal = await openSimulated(copy, {}, 99);
  const texts = await textsOf(wal);
  await wal.close();
  return texts;
}

describe('a salvage says what is gone', () => {
  it('at the end of the log: promised by the watermark, and in no file', async () => {
    const system = SimulatedFileSystem.on();
    for (let sequence = 1; sequence <= 3; sequence++) {
      const wal = await openSimulated(system, {}, sequence);
      await wal.append(batchAfter(sequence - 1, 1)).durable;
      await wal.close();
    }
    system.unlink(`${LOG}/${segmentsOf(system).at(-1) ?? ''}`);
    const { report } = await salvaged(system);
    expect(report).toMatchObject({
      lastSequence: 2,
      lostTail: { firstSequence: 3, lastSequence: 3 },
    });
  });

  it('of the last frame of a sealed segment, also as a stretch of its file', async () => {
    const system = SimulatedFileSystem.on();
    const killed = system.sibling();
    const first = await openSimulated(killed);
    await first.append(batchAfter(0, 1)).durable;
    await first.append(batchAfter(1, 1)).durable;
    killed.kill();
    await (await openSimulated(system, {}, 2)).close();
    const path = `${LOG}/${segmentsOf(system)[0] ?? ''}`;
    const content = system.disk.image().files.get(path);
    system.disk.flipBit(path, content?.indexOf('2:2222') ?? 0);
    const { report } = await salvaged(system);
    expect(report.losses).toEqual([
      expect.objectContaining({ file: path, reason: expect.stringContaining('body') }),
    ]);
    expect(report).toMatchObject({ lostTail: { firstSequence: 2, lastSequence: 2 } });
  });

  it('reads from the archive what the directory lacks, or holds damaged', async () => {
    const system = SimulatedFileSystem.on({ files: new Map(), directories: new Set(['/data']) });
    const archive = ArchiveDirectory.open('/data/archive', { create: true, fileSystem: system });
    for (let sequence = 1; sequence <= 4; sequence++) {
      const wal = await openSimulated(system, { archive }, sequence);
      await wal.append(batchAfter(sequence - 1, 1)).durable;
      await wal.maintenance.archiveSealed();
      if (sequence === 3) await wal.maintenance.removeSegments({ below: 2 as Sequence });
      await wal.close();
    }
    const whole = await openSimulated(system, { archive }, 5);
    const texts = await textsOf(whole);
    await whole.maintenance.archiveSealed();
    await whole.close();
    const [second = '', third = ''] = segmentsOf(system);
    system.unlink(`${LOG}/${second}`);
    system.disk.flipBit(`${LOG}/${third}`, 8192 + 70);
    system.disk.flipBit(`${LOG}/MANIFEST`, 3);
    const found = await salvaged(system, archive);
    expect(found.texts).toEqual(texts);
    expect(found.report).toMatchObject({ missing: [], losses: [], leftOut: [] });
  });

  it('of what is in an archive only is named where that is not, and the new log is not opened beside it', async () => {
    const system = SimulatedFileSystem.on({ files: new Map(), directories: new Set(['/data']) });
    const archive = ArchiveDirectory.open('/data/archive', { create: true, fileSystem: system });
    for (let sequence = 1; sequence <= 4; sequence++) {
      const wal = await openSimulated(system, { archive }, sequence);
      await wal.append(batchAfter(sequence - 1, 1)).durable;
      if (sequence < 4) await wal.maintenance.archiveSealed();
      else await wal.maintenance.removeSegments({ below: 3 as Sequence });
      await wal.close();
    }
    const image = system.disk.image();
    const { report } = await salvaged(SimulatedFileSystem.on(image), archive);
    expect(report).toMatchObject({ firstSequence: 1, missing: [], losses: [] });
    const reason: unknown = expect.stringMatching(/^sequences 1 to 1 were archived/);
    const alone = SimulatedFileSystem.on(image);
    const without = await salvage(LOG, TARGET, { fileSystem: alone });
    expect(without).toMatchObject({ firstSequence: 2, losses: [{ reason }] });
    const beside = ArchiveDirectory.open('/data/archive', { fileSystem: alone });
    await expect(Wal.open(TARGET, { fileSystem: alone, archive: beside })).rejects.toMatchObject({
      code: 'WAL_ARCHIVE_MISMATCH',
    });
    const opened = { fileSystem: alone, archive: beside };
    await expect(WalReader.open(TARGET, opened)).rejects.toMatchObject({
      code: 'WAL_ARCHIVE_MISMATCH',
    });
    const lacking = SimulatedFileSystem.on(image);
    for (const file of segmentsOf(lacking).slice(0, 2)) lacking.unlink(`${LOG}/${file}`);
    const less = await salvage(LOG, TARGET, { fileSystem: lacking });
    expect(less).toMatchObject({
      missing: [{ firstSequence: 2, lastSequence: 3 }],
      losses: [{ reason: expect.stringContaining('missing') }, { reason }],
    });
    // An archive that begins with a hole is no better.
    const holed = SimulatedFileSystem.on(image);
    holed.unlink(`/data/archive/${archived(holed)[0] ?? ''}`);
    const rest = ArchiveDirectory.open('/data/archive', { fileSystem: holed });
    const { losses } = await salvage(LOG, TARGET, { fileSystem: holed, archive: rest });
    expect(losses).toMatchObject([{ reason }]);
  });
});

function archived(system: SimulatedFileSystem): string[] {
  return system
    .list('/data/archive')
    .filter((file) => file.endsWith('.walz'))
    .sort();
}

function segmentsOf(system: SimulatedFileSystem): string[] {
  return system
    .list(LOG)
    .filter((file) => parseSegmentName(file) !== undefined)
    .sort();
}

/** Two histories of one log in one directory, as a careless copy makes them: the second segment of the one is the other's too. */
async function forked(): Promise<{ image: DiskImage; other: string }> {
  const system = SimulatedFileSystem.on();
  const first = await openSimulated(system);
  await first.append([textOf('1')]).durable;
  await first.close();
  const common = system.disk.image();
  const branch = async (letter: string, seed: number, upTo: number): Promise<DiskImage> => {
    const own = SimulatedFileSystem.on(common);
    for (let sequence = 2; sequence <= upTo; sequence++) {
      const wal = await openSimulated(own, {}, seed);
      if (sequence === 2) {
        await wal.append([textOf(`${letter}2`)]).durable;
        await wal.append([textOf(`${letter}3`)]).durable;
        sequence++;
      } else await wal.append([textOf(`${letter}${sequence}`)]).durable;
      await wal.close();
      seed += 10;
    }
    return own.disk.image();
  };
  const [a, b] = [await branch('a', 2, 3), await branch('b', 3, 4)];
  const name = (generation: number): string =>
    `${LOG}/${formatSegmentName({ segment: 2, firstSequence: 2, generation })}`;
  // A name that the other does not have.
  const other = name(7);
  const files = new Map(b.files).set(other, a.files.get(name(0)) ?? Buffer.alloc(0));
  files.delete(`${LOG}/MANIFEST`);
  return { image: { files, directories: b.directories }, other };
}

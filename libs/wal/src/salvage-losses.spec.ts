import { describe, expect, it } from '@jest/globals';
import { ArchiveDirectory } from './archive-directory.js';
import { salvage, type SalvageReport } from './salvage.js';
import { parseSegmentName } from './segment-name.js';
import { batchAfter, LOG, openSimulated, SimulatedFileSystem } from './testing/index.js';
import { BEFORE_FIRST, type Sequence } from './wal.types.js';

const TARGET = '/data/salvaged';
const ARCHIVE = '/data/archive';

/** A record and a segment for each of its opens; archived are all but the last. */
async function logOf(opens: number): Promise<SimulatedFileSystem> {
  const system = SimulatedFileSystem.on({ files: new Map(), directories: new Set(['/data']) });
  const archive = ArchiveDirectory.open(ARCHIVE, { create: true, fileSystem: system });
  for (let sequence = 1; sequence <= opens; sequence++) {
    const wal = await openSimulated(system, { archive }, sequence);
    await wal.append(batchAfter(sequence - 1, 1)).durable;
    await wal.archiveSealed();
    // Behind the footers, which are written in the background.
    await wal.removeSegments({ below: BEFORE_FIRST });
    await wal.close();
  }
  await archive.close();
  return system;
}

function segmentsOf(system: SimulatedFileSystem): string[] {
  const names = system.list(LOG).filter((file) => parseSegmentName(file) !== undefined);
  return names.sort().map((file) => `${LOG}/${file}`);
}

function salvaged(system: SimulatedFileSystem, withArchive = false): Promise<SalvageReport> {
  const archive = ArchiveDirectory.open(ARCHIVE, { fileSystem: system });
  return salvage(LOG, TARGET, { fileSystem: system, ...(withArchive && { archive }) });
}

describe('a salvage that WATERMARK does not tell of the newest segment', () => {
  const isMissing = (segment: number): unknown => ({
    reason: expect.stringContaining(`segment ${segment} is missing`),
  });

  async function without(...gone: number[]): Promise<SimulatedFileSystem> {
    const system = await logOf(4);
    const segments = segmentsOf(system);
    for (const segment of gone) system.unlink(segments[segment - 1] ?? '');
    system.unlink(`${LOG}/WATERMARK`);
    return system;
  }

  it('misses nothing where nothing is gone', async () => {
    expect(await salvaged(await without())).toMatchObject({ lastSequence: 4, losses: [] });
  });

  it('misses what has sealed the last one that is there', async () => {
    const report = await salvaged(await without(4));
    expect(report).toMatchObject({ lastSequence: 3, losses: [isMissing(4)] });
  });

  it('misses what has sealed the last one that the archive holds', async () => {
    const report = await salvaged(await without(3, 4), true);
    expect(report).toMatchObject({ lastSequence: 3, losses: [isMissing(4)] });
  });

  it('misses it also where the archive is all that is left', async () => {
    const system = await without(1, 2, 3, 4);
    for (const file of system.list(LOG)) system.unlink(`${LOG}/${file}`);
    const report = await salvaged(system, true);
    expect(report).toMatchObject({ lastSequence: 3, losses: [isMissing(4)] });
  });

  it('misses what has sealed one that was compacted', async () => {
    const system = await logOf(4);
    const wal = await openSimulated(system, {}, 5);
    const policy = { below: 4 as Sequence, drop: (at: Sequence) => at === 2, savedFractionMin: 0 };
    expect(await wal.compact(policy)).toMatchObject({ rewritten: 1 });
    await wal.close();
    for (const path of segmentsOf(system).slice(2)) system.unlink(path);
    system.unlink(`${LOG}/WATERMARK`);
    const report = await salvaged(system);
    expect(report).toMatchObject({ losses: [isMissing(3)] });
  });

  it('names a last one that was cut short', async () => {
    const system = await without();
    const file = system.open(segmentsOf(system).at(-1) ?? '', 'write');
    file.truncate(8192);
    file.close();
    const reason: unknown = expect.stringContaining('shorter');
    expect(await salvaged(system)).toMatchObject({ lastSequence: 3, losses: [{ reason }] });
  });
});

describe('a salvage of a log of which a witness cannot be read', () => {
  const losses = async (
    damage: (system: SimulatedFileSystem) => void,
    removed = false,
    withArchive = false,
  ): Promise<readonly unknown[]> => {
    const system = await logOf(4);
    if (removed) {
      const wal = await openSimulated(system, {}, 5);
      await wal.removeSegments({ below: 3 as Sequence });
      await wal.close();
    }
    damage(system);
    return (await salvaged(system, withArchive)).losses.map(({ reason }) => reason);
  };
  const floors = /FLOORS.* is damaged/;
  const matching = (...reasons: RegExp[]): unknown[] =>
    reasons.map((reason): unknown => expect.stringMatching(reason));

  const floorsOf = (system: SimulatedFileSystem): string =>
    `${LOG}/${system.list(LOG).find((file) => file.startsWith('FLOORS')) ?? ''}`;
  const flipFloors = (system: SimulatedFileSystem): void =>
    system.disk.flipBit(floorsOf(system), 30);

  it('names damaged floors, and that the beginning may be in an archive', async () => {
    const beginning = /^FLOORS cannot be read: whether sequences 1 to 2 were removed/;
    expect(await losses(flipFloors, true)).toEqual(matching(floors, beginning));
    expect(await losses(flipFloors, true, true)).toEqual(matching(floors));
    expect(await losses(flipFloors)).toEqual(matching(floors));
  });

  it('names floors that the disk does not give', async () => {
    const effect = { kind: 'error', code: 'EIO' } as const;
    const unreadable = (system: SimulatedFileSystem): void =>
      void system.faults.plan({ operation: 'read', path: /FLOORS/, effect });
    expect(await losses(unreadable)).toEqual(matching(/FLOORS.*EIO/));
  });

  it('names a WATERMARK of which a slot does not verify, or that the disk does not give', async () => {
    const watermark = `${LOG}/WATERMARK`;
    expect(await losses((system) => system.disk.flipBit(watermark, 30))).toEqual(
      matching(/WATERMARK is damaged/),
    );
    const effect = { kind: 'error', code: 'EIO' } as const;
    const unreadable = (system: SimulatedFileSystem): void =>
      void system.faults.plan({ operation: 'read', path: /WATERMARK/, effect });
    expect(await losses(unreadable)).toEqual(matching(/WATERMARK.*EIO/));
  });

  it('names none that is empty, as a power cut leaves it', async () => {
    const emptied = (system: SimulatedFileSystem): void => {
      const file = system.open(`${LOG}/WATERMARK`, 'write');
      file.truncate(0);
      file.close();
    };
    expect(await losses(emptied)).toEqual([]);
  });
});

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

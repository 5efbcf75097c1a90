import { beforeEach, describe, expect, it } from '@jest/globals';
import { parseSegmentName } from '../../format/segment-name.js';
import {
  batchAfter,
  type DiskImage,
  LOG,
  openSimulated,
  SimulatedFileSystem,
} from '../../testing/index.js';
import { BEFORE_FIRST } from '../../wal.types.js';
import { ArchiveDirectory } from '../archive/archive-directory.js';
import { readBlockTable } from '../archive/archived-segment.js';
import { salvage, type SalvageReport } from './salvage.js';

const PAGE_BYTES = 4096;
const RECORDS = 20;

/** A segment of twenty frames of some three pages each, sealed by an empty one, and archived. */
describe('a salvage of a segment of which one place is lost', () => {
  let image: DiskImage;
  let path: string;

  beforeEach(async () => {
    const system = SimulatedFileSystem.on({ files: new Map(), directories: new Set(['/data']) });
    const archive = ArchiveDirectory.open('/data/archive', { create: true, fileSystem: system });
    const options = { archive, segmentBytes: 1024 * 1024 };
    for (const opening of [1, 2]) {
      const wal = await openSimulated(system, options, opening);
      for (let record = 0; opening === 1 && record < RECORDS; record++)
        await wal.append(batchAfter(record, 1, 12_000)).durable;
      await wal.maintenance.archiveSealed();
      await wal.maintenance.removeSegments({ below: BEFORE_FIRST });
      await wal.close();
    }
    const [first = ''] = system.list(LOG).filter((file) => parseSegmentName(file)?.segment === 1);
    path = `${LOG}/${first}`;
    image = system.disk.image();
  });

  const salvaged = async (system: SimulatedFileSystem, archive?: string): Promise<SalvageReport> =>
    salvage(LOG, '/data/salvaged', {
      fileSystem: system,
      ...(archive !== undefined && {
        archive: ArchiveDirectory.open(archive, { fileSystem: system }),
      }),
    });

  /** Reading a page of the file fails, alone and with others. */
  function withLostPages(...pages: number[]): SimulatedFileSystem {
    const system = SimulatedFileSystem.on(image);
    const open = system.open.bind(system);
    system.open = (at, mode) => {
      const file = open(at, mode);
      const read = file.read.bind(file);
      file.read = (target, position) => {
        const isMet = (page: number): boolean =>
          position < page + PAGE_BYTES && position + target.length > page;
        if (at !== path || !pages.some(isMet)) return read(target, position);
        throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' });
      };
      return file;
    };
    return system;
  }

  it.each([
    ['in the first frame', 3, [1, 1]],
    ['in a frame in the middle', 20, [7, 7]],
    ['where two frames meet', 31, [10, 11]],
    ['in the last frame', 59, [20, 20]],
  ])('misses the records in a page that the disk does not give: %s', async (_, page, gone) => {
    const report = await salvaged(withLostPages(page * PAGE_BYTES));
    const [firstSequence = 0, lastSequence = 0] = gone;
    const range = { firstSequence, lastSequence };
    expect(report.records).toBe(RECORDS - (lastSequence - firstSequence + 1));
    expect([...report.missing, report.lostTail]).toContainEqual(range);
    expect(report.losses).toContainEqual({
      ...{ file: path, from: page * PAGE_BYTES, to: (page + 1) * PAGE_BYTES },
      reason: expect.stringContaining('EIO'),
    });
  });

  it('reads the second copy of the header where the first is on such a page, and names where it reads nothing', async () => {
    expect(await salvaged(withLostPages(0))).toMatchObject({ records: RECORDS, losses: [] });
    const pages = [40, 41].map((page) => page * PAGE_BYTES);
    const { losses } = await salvaged(withLostPages(...pages));
    expect(losses).toContainEqual(
      expect.objectContaining({ from: pages[0], to: (pages[1] ?? 0) + PAGE_BYTES }),
    );
  });

  it('names such a page where nothing is known to have stood', async () => {
    const newest = SimulatedFileSystem.on(image);
    path = `${LOG}/${newest.list(LOG).find((file) => parseSegmentName(file)?.segment === 2) ?? ''}`;
    const report = await salvaged(withLostPages(50 * PAGE_BYTES));
    expect(report).toMatchObject({ records: RECORDS, losses: [{ from: 50 * PAGE_BYTES }] });
  });

  it('misses the records in a damaged block of an archive', async () => {
    const system = SimulatedFileSystem.on(image);
    const [archived = ''] = system.list('/data/archive').filter((file) => file.endsWith('.walz'));
    const file = system.open(`/data/archive/${archived}`, 'read');
    system.disk.flipBit(file.path, (readBlockTable(file)[1]?.offset ?? 0) + 8);
    system.unlink(path);
    const report = await salvaged(system, '/data/archive');
    expect(report.missing).toEqual([{ firstSequence: 5, lastSequence: 11 }]);
    expect(report.losses).toContainEqual({
      ...{ file: file.path, from: 64 * 1024, to: 128 * 1024 },
      reason: expect.stringContaining('block'),
    });
  });
});

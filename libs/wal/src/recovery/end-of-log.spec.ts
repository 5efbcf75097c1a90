import { beforeAll, describe, expect, it } from '@jest/globals';
import { ArchiveDirectory } from '../care/archive/archive-directory.js';
import type { VerifyReport } from '../read/verify.js';
import {
  batchAfter,
  type DiskImage,
  LOG,
  openSimulated,
  SimulatedFileSystem,
} from '../testing/index.js';
import { WalReader } from '../wal-reader.js';

const RECORDS = 30;

async function verified(image: DiskImage): Promise<VerifyReport> {
  const fileSystem = SimulatedFileSystem.on(image);
  const reader = await WalReader.open(LOG, { fileSystem });
  const report = await reader.verify();
  await reader.close();
  expect(fileSystem.openFileCount).toBe(0);
  return report;
}

const changed = (image: DiskImage, path: string, content: Buffer | undefined): DiskImage => {
  const files = new Map(image.files);
  if (content === undefined) files.delete(path);
  else files.set(path, content);
  return { ...image, files };
};

const WATERMARK = `${LOG}/WATERMARK`;

describe('verifying the end of a log', () => {
  let image: DiskImage;
  let newest: string;
  let end: number;

  beforeAll(async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    for (let at = 0; at < RECORDS; at++)
      await wal.append(batchAfter(wal.lastSequence, 1, 300)).durable;
    // Killed: no closing frame vouches for the last one.
    system.kill();
    image = system.disk.image();
    newest = [...image.files.keys()].find((path) => path.endsWith('.wal'))!;
    end = image.files.get(newest)!.findLastIndex((byte) => byte !== 0) + 1;
  });

  it('reads all of it, and leaves nothing open', async () => {
    expect(await verified(image)).toMatchObject({
      ...{ firstSequence: 1, lastSequence: RECORDS, records: RECORDS },
      ...{ problems: [], unverified: [] },
    });
  });

  it('without WATERMARK reads every record that is there, and says that it cannot vouch for the end', async () => {
    const without = changed(image, WATERMARK, undefined);
    const report = await verified(without);
    expect(report).toMatchObject({ lastSequence: RECORDS, records: RECORDS, problems: [] });
    expect(report.unverified).toEqual([expect.stringContaining('No WATERMARK')]);
    // As a copy of files leaves it: the WATERMARK of another log or history.
    const strange = SimulatedFileSystem.on();
    await openSimulated(strange, {}, 9).then((wal) => wal.close());
    const foreign = changed(image, WATERMARK, strange.disk.image().files.get(WATERMARK));
    expect((await verified(foreign)).unverified).toEqual(report.unverified);
  });

  it('finds every damage for which a start refuses the log, with and without WATERMARK', async () => {
    const content = image.files.get(newest)!;
    for (const log of [image, changed(image, WATERMARK, undefined)]) {
      for (const offset of [0x2000, 0x2000 + 700, 0x2000 + 4_000, end - 700]) {
        const damaged = Buffer.from(content).fill(0xa5, offset, offset + 16);
        const found = changed(log, newest, damaged);
        const start = openSimulated(SimulatedFileSystem.on(found), { create: false }, 3);
        await expect(start).rejects.toMatchObject({ code: 'WAL_CORRUPT' });
        const report = await verified(found);
        expect(report.problems).toHaveLength(1);
        expect(report.lastSequence).toBeLessThan(RECORDS);
        expect(report.bytes).toBeLessThanOrEqual(offset);
      }
    }
  });

  it('says which bytes are no whole frame, where nothing says that they were acknowledged', async () => {
    const damaged = Buffer.from(image.files.get(newest)!).fill(0xa5, end - 100, end - 84);
    const log = changed(changed(image, WATERMARK, undefined), newest, damaged);
    const report = await verified(log);
    expect(report).toMatchObject({ problems: [], lastSequence: RECORDS - 1 });
    expect(report.unverified).toEqual([
      expect.stringContaining('are no whole frame'),
      expect.stringContaining('No WATERMARK'),
    ]);
    // With WATERMARK the same bytes are damage.
    expect((await verified(changed(image, newest, damaged))).problems).toHaveLength(1);
  });
});

describe('verifying a log of which a witness is damaged', () => {
  it.each([
    ['WATERMARK', 'read'],
    ['WATERMARK', 'open'],
    ['FLOORS-1', 'read'],
    ['FLOORS-1', undefined],
  ] as const)('names %s and reads every record (%s)', async (file, operation) => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    while (wal.stats().rotations < 2) await wal.append(batchAfter(wal.lastSequence, 1)).durable;
    await wal.append(batchAfter(wal.lastSequence, 1)).durable;
    wal.floors.set('reader', wal.durableSequence);
    await wal.close();
    const path = `${LOG}/${file}`;
    const effect = { kind: 'error', code: 'EIO' } as const;
    if (operation === undefined) system.disk.flipBit(path, 30);
    else system.faults.plan({ operation, path: new RegExp(file), effect });
    const reader = await WalReader.open(LOG, { fileSystem: system });
    const { problems, records } = await reader.verify();
    expect(problems).toMatchObject([{ file: path }]);
    expect(records).toBe(wal.lastSequence);
    await reader.close();
  });

  it('says nothing of what is durable where the disk does not give WATERMARK', async () => {
    const system = SimulatedFileSystem.on();
    await openSimulated(system).then((wal) => wal.close());
    const effect = { kind: 'error', code: 'EIO' } as const;
    const end = system.faults.plan({ operation: 'read', path: /WATERMARK/, effect });
    const reader = await WalReader.open(LOG, { fileSystem: system });
    expect(() => reader.durableSequence).toThrow(
      expect.objectContaining({ code: 'WAL_READ_FAILED', details: { file: WATERMARK, offset: 0 } }),
    );
    end();
    expect(reader.durableSequence).toBe(0);
    await reader.close();
  });
});

describe('verifying', () => {
  it('finds a segment that does not end with the frame that its successor names', async () => {
    // The same ids and lengths, another content: one log in two histories.
    const make = async (mark: string): Promise<DiskImage> => {
      const system = SimulatedFileSystem.on();
      for (const seed of [1, 2]) {
        const wal = await openSimulated(system, {}, seed);
        await wal.append([Buffer.from(mark)]).durable;
        await wal.close();
      }
      return system.disk.image();
    };
    const [one, other] = [await make('one'), await make('two')];
    const first = [...one.files.keys()].find((path) => path.endsWith('-0000000000000001.0.wal'))!;
    const { problems } = await verified(changed(one, first, other.files.get(first)));
    expect(problems).toMatchObject([
      { file: first, reason: 'the segment does not end with the frame that its successor names' },
    ]);
  });

  it('that is told to stop reports what it has found until then, and how far it has read', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    while (wal.stats().rotations < 3)
      await wal.append(batchAfter(wal.lastSequence, 4, 2_000)).durable;
    await wal.flush();
    const [damaged, second] = wal.segments();
    system.disk.flipBit(damaged!.path, 0x2000 + 100);
    const stop = new AbortController();
    const report = await wal.verify(({ bytesDone }) => {
      if (bytesDone > 0) stop.abort();
    }, stop.signal);
    expect(report.problems[0]).toMatchObject({ file: damaged!.path });
    expect(report.lastSequence).toBeLessThan(second!.name.firstSequence);
    expect(report.unverified).toEqual([expect.stringContaining('It was cancelled')]);
    await wal.close();
  });

  it('says that an archive was not read, where the log has one', async () => {
    const system = SimulatedFileSystem.on();
    await openSimulated(system).then((wal) => wal.close());
    const archive = ArchiveDirectory.open('/archive', { create: true, fileSystem: system });
    const wal = await openSimulated(system, { archive }, 2);
    while (wal.stats().rotations < 2)
      await wal.append(batchAfter(wal.lastSequence, 4, 2_000)).durable;
    await wal.maintenance.archiveSealed();
    await wal.maintenance.removeSegments({ below: wal.durableSequence });
    expect((await wal.verify()).unverified).toEqual([]);
    const reader = await WalReader.open(LOG, { fileSystem: system.sibling() });
    expect(await reader.verify()).toMatchObject({
      problems: [],
      unverified: [expect.stringContaining('in the archive, which was not read')],
    });
    const whole = await WalReader.open(LOG, { fileSystem: system.sibling(), archive });
    expect(await whole.verify()).toMatchObject({ firstSequence: 1, problems: [], unverified: [] });
    await Promise.all([reader.close(), whole.close(), wal.close()]);
  });
});

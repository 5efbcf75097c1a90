import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  batchAfter,
  type DiskImage,
  LOG,
  openSimulated,
  SimulatedFileSystem,
} from '../../testing/index.js';
import { WalReader } from '../../wal-reader.js';
import type { Sequence } from '../../wal.types.js';
import { restoreLog } from './restore.js';

const BACKUP = '/backup';
const RESTORED = '/restored';
const RECORDS = 40;

function asLog({ files }: DiskImage): DiskImage {
  const moved = [...files]
    .filter(([path]) => path.startsWith(`${RESTORED}/`))
    .map(([path, content]) => [path.replace(RESTORED, LOG), content] as const);
  return { files: new Map(moved), directories: new Set(['/data', LOG]) };
}

function without(image: DiskImage, path: string): DiskImage {
  return { ...image, files: new Map([...image.files].filter(([name]) => name !== path)) };
}

async function problemsOf(image: DiskImage): Promise<number> {
  const reader = await WalReader.open(LOG, { fileSystem: SimulatedFileSystem.on(image) });
  const { problems } = await reader.verify();
  await reader.close();
  return problems.length;
}

const opened = (image: DiskImage) =>
  openSimulated(SimulatedFileSystem.on(image), { create: false, verifyOnOpen: true }, 5);

/** What was restored is promised by the restore: nobody else has ever promised it in this place. */
describe('the end of a restored log', () => {
  let image: DiskImage;
  let cut: DiskImage;

  beforeAll(async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    for (let at = 0; at < RECORDS; at++)
      await wal.append(batchAfter(wal.lastSequence, 1, 300)).durable;
    await wal.maintenance.backup(BACKUP);
    await wal.close();
    const restore = async (upTo: number): Promise<DiskImage> => {
      const target = SimulatedFileSystem.on(system.disk.image());
      await restoreLog(BACKUP, RESTORED, { fileSystem: target, upTo: upTo as Sequence });
      return asLog(target.disk.image());
    };
    image = await restore(RECORDS);
    cut = await restore(RECORDS / 2);
  });

  const tailOf = ({ files }: DiskImage): string =>
    [...files.keys()].filter((path) => path.endsWith('.wal')).sort()[0]!;

  it('is read to its last record by a reader, which no writer has promised anything yet', async () => {
    for (const [log, records] of [
      [image, RECORDS],
      [cut, RECORDS / 2],
    ] as const) {
      const reader = await WalReader.open(LOG, { fileSystem: SimulatedFileSystem.on(log) });
      expect(reader.durableSequence).toBe(records);
      expect(await reader.verify()).toMatchObject({ records, lastSequence: records, problems: [] });
      await reader.close();
    }
  });

  it('is damage wherever it was overwritten: refused by an open, and found by verification', async () => {
    for (const log of [image, cut]) {
      const path = tailOf(log);
      const content = log.files.get(path)!;
      const end = content.findLastIndex((byte) => byte !== 0) + 1;
      for (const offset of [0x2000, 0x2000 + 500, end - 300, end - 16]) {
        const damaged = Buffer.from(content);
        damaged.fill(0xa5, offset, offset + 16);
        const found = { ...log, files: new Map(log.files).set(path, damaged) };
        expect(await problemsOf(found)).toBeGreaterThan(0);
        await expect(opened(found)).rejects.toMatchObject({ code: 'WAL_CORRUPT' });
      }
      const short = {
        ...log,
        files: new Map(log.files).set(path, content.subarray(0, end - 100)),
      };
      expect(await problemsOf(short)).toBeGreaterThan(0);
      await expect(opened(short)).rejects.toMatchObject({ code: 'WAL_CORRUPT' });
    }
  });

  it('is missed when a segment is gone, the promising one too', async () => {
    for (const path of [...image.files.keys()].filter((name) => name.endsWith('.wal'))) {
      const lacking = without(image, path);
      await expect(opened(lacking)).rejects.toMatchObject({ code: 'WAL_MISSING_SEGMENT' });
      expect(await problemsOf(lacking)).toBeGreaterThan(0);
    }
  });
});

describe('a restore', () => {
  it('that fails at its last step leaves nothing that opens', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    await wal.append(batchAfter(0, 3)).durable;
    await wal.maintenance.backup(BACKUP);
    await wal.close();
    const image = system.disk.image();
    for (let skip = 0; ; skip++) {
      const disk = SimulatedFileSystem.on(image);
      const effect = { kind: 'error', code: 'EIO' } as const;
      disk.faults.plan({ operation: 'sync-directory', path: /restored/, skip, times: 1, effect });
      const done = await restoreLog(BACKUP, RESTORED, { fileSystem: disk }).catch(() => undefined);
      if (done !== undefined) break;
      const left = SimulatedFileSystem.on(asLog(disk.disk.image()));
      await expect(openSimulated(left, { create: false })).rejects.toMatchObject({
        code: expect.stringMatching(/^WAL_(MISSING_SEGMENT|NOT_FOUND)$/),
      });
      expect(disk.openFileCount).toBe(0);
    }
  });
});

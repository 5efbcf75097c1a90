import { describe, expect, it } from '@jest/globals';
import { ArchiveDirectory } from './care/archive/archive-directory.js';
import { verifyBackup } from './care/backup/backup-verification.js';
import { batchAfter, openSimulated, SimulatedFileSystem } from './testing/index.js';
import type { Wal } from './wal.js';
import type { Sequence } from './wal.types.js';

const ARCHIVE = '/archive';
const BACKUP = '/backup';

/** Each needs the footers of the segments that it works on. */
const WORKS: Readonly<Record<string, (wal: Wal) => Promise<object>>> = {
  archiving: (wal) => wal.maintenance.archiveSealed(),
  'a backup': (wal) => wal.maintenance.backup(BACKUP),
  compaction: (wal) =>
    wal.maintenance.compact({
      below: 1_000_000 as Sequence,
      drop: (sequence) => sequence % 2 === 1,
    }),
};

describe('work on finished segments', () => {
  it.each(Object.entries(WORKS))('%s is not hindered by a rotation meanwhile', async (_, work) => {
    const system = SimulatedFileSystem.on();
    const archive = ArchiveDirectory.open(ARCHIVE, { create: true, fileSystem: system });
    const wal = await openSimulated(system, { archive });
    const rotate = async (): Promise<void> => {
      const { rotations } = wal.stats();
      while (wal.stats().rotations === rotations)
        await wal.append(batchAfter(wal.lastSequence, 3, 900)).durable;
    };
    await rotate();
    await wal.maintenance.archiveSealed();
    await rotate();
    const [, unfinished, growing] = wal.segments();
    // Behind the footers: this one loses its own, and the work makes it again first.
    await wal.maintenance.removeSegments({ below: 1 as Sequence });
    const file = system.open(unfinished!.path, 'write');
    file.truncate(wal.segments()[1]!.dataLength!);
    file.close();

    const digest = system.sha256.bind(system);
    const hashed: string[] = [];
    let goOn: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    system.sha256 = async (path, bytes) => {
      const isFirst = !hashed.includes(path);
      hashed.push(path);
      if (isFirst && path === unfinished!.path) await rotate();
      // The footer of the one that is sealed meanwhile waits for the end of the work.
      if (isFirst && path === growing!.path) await held;
      return digest(path, bytes);
    };
    const last = wal.durableSequence;
    await expect(work(wal)).resolves.toBeDefined();
    expect(hashed.slice(0, 2)).toEqual([unfinished!.path, growing!.path]);
    goOn();
    await wal.close();
    await archive.close();
    if (system.exists(BACKUP))
      expect(await verifyBackup(BACKUP, { fileSystem: system })).toMatchObject({
        ...{ lastSequence: last, problems: [] },
      });
  });
});

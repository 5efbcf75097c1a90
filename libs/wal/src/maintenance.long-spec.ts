import { mkdtempSync, readdirSync, rmSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { ArchiveDirectory } from './care/archive/archive-directory.js';
import { repairFromArchive } from './care/archive/archive-repair.js';
import { verifyBackup } from './care/backup/backup-verification.js';
import { restoreLog } from './care/backup/restore.js';
import { batchAfter, textsOf } from './testing/index.js';
import { Wal } from './wal.js';
import type { WalOptions } from './wal-options.js';
import type { Sequence } from './wal.types.js';

/** Archive, compaction, backup, restore and repair in one life of a log, on the real disk. */
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'maintenance-'));
});

afterEach(() => rmSync(root, { recursive: true }));

const at = (sequence: number): Sequence => sequence as Sequence;
const SMALL = { create: true, frameBytesMax: 64 * 1024, segmentBytes: 256 * 1024 };

it('a log is archived, compacted, backed up, restored and repaired under load', async () => {
  const archive = ArchiveDirectory.open(join(root, 'archive'), { create: true });
  const options: WalOptions = { ...SMALL, archive };
  const log = join(root, 'log');
  const wal = await Wal.open(log, options);
  const load = { goesOn: true };
  const appends = (async () => {
    while (load.goesOn) {
      await wal.append(batchAfter(wal.lastSequence, 10, 900)).durable;
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  while (wal.stats().rotations < 4) await new Promise((resolve) => setTimeout(resolve, 5));
  const archived = await wal.maintenance.archiveSealed();
  expect(archived.segments).toBeGreaterThanOrEqual(4);
  await wal.maintenance.removeSegments({ below: archived.archivedSequence });
  const first = await wal.maintenance.backup(join(root, 'backup'));
  const compacted = await wal.maintenance.compact({
    below: wal.durableSequence,
    drop: (sequence) => sequence % 2 === 1,
  });
  expect(compacted.rewritten).toBeGreaterThan(0);
  const second = await wal.maintenance.backup(join(root, 'backup'));
  expect(second.lastSequence).toBeGreaterThan(first.lastSequence);
  load.goesOn = false;
  await appends;
  const texts = await textsOf(wal);
  const live = wal.segments().map(({ path }) => path);
  const compactedPath = live.find((path) => path.endsWith('.1.wal'));
  await wal.maintenance.archiveSealed();
  await wal.close();

  expect(await verifyBackup(join(root, 'backup'))).toMatchObject({
    ...{ lastSequence: second.lastSequence, problems: [] },
  });
  const upTo = at(second.lastSequence - 25);
  const restored = await restoreLog(join(root, 'backup'), join(root, 'restored'), { upTo });
  expect(restored.lastSequence).toBe(Math.floor(upTo / 10) * 10);
  const copy = await Wal.open(join(root, 'restored'), SMALL);
  const left = await textsOf(copy);
  expect(left.length).toBeGreaterThan(0);
  expect(texts.slice(0, left.length)).toEqual(left);
  expect((await copy.verify()).problems).toEqual([]);
  await copy.close();

  // The compacted one had been archived as it was before, and is not put back under its new generation; a plain one is.
  const plain = live.filter((path) => path !== compactedPath && path.endsWith('.0.wal'));
  if (plain.length > 1) {
    unlinkSync(plain[0]!);
    await expect(Wal.open(log, options)).rejects.toMatchObject({ code: 'WAL_MISSING_SEGMENT' });
    expect((await repairFromArchive(log, archive)).repaired).toEqual([
      { file: plain[0], reason: 'missing' },
    ]);
  }
  const again = await Wal.open(log, options);
  expect(await textsOf(again)).toEqual(texts);
  expect((await again.verify()).problems).toEqual([]);
  await again.close();
  await archive.close();
  expect(readdirSync(root).sort()).toEqual(['archive', 'backup', 'log', 'restored']);
}, 60_000);

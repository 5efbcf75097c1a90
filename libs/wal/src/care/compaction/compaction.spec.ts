import { describe, expect, it } from '@jest/globals';
import {
  afterPowerCut,
  batchAfter,
  LOG,
  openSimulated,
  SeededRandom,
  SimulatedFileSystem,
  textsOf,
} from '../../testing/index.js';
import type { Wal } from '../../wal.js';
import { WalReader } from '../../wal-reader.js';
import { BEFORE_FIRST, type Sequence } from '../../wal.types.js';
import { ArchiveDirectory } from '../archive/archive-directory.js';
import { verifyBackup } from '../backup/backup-verification.js';
import { restoreLog } from '../backup/restore.js';

const at = (sequence: number): Sequence => sequence as Sequence;

/** Two of three go: whole batches, ends and beginnings of others, whole frames. */
const isDropped = (sequence: number): boolean => sequence % 3 !== 0 || sequence % 50 < 12;
const policyUpTo = (
  below: number,
  drop = isDropped,
): { below: Sequence; drop: (sequence: Sequence) => boolean } => ({ below: at(below), drop });

async function fill(wal: Wal, rotations: number): Promise<void> {
  const random = new SeededRandom(3);
  const target = wal.stats().rotations + rotations;
  while (wal.stats().rotations < target) {
    const batches = Array.from({ length: 1 + random.below(3) }, () => {
      const batch = batchAfter(wal.lastSequence, 1 + random.below(4), 100 + random.below(900));
      return wal.append(batch).durable;
    });
    await Promise.all(batches);
  }
}

/** What is left of a log's texts: those that stay, and full stops where the last of a batch that stays now ends it. */
function withoutDropped(texts: readonly string[], below: number, drop = isDropped): string[] {
  const left: string[] = [];
  let inBatch = 0;
  texts.forEach((text, index) => {
    const sequence = index + 1;
    const endsBatch = text.endsWith('.');
    if (sequence >= below || !drop(sequence)) {
      left.push(endsBatch ? text.slice(0, -1) : text);
      inBatch++;
    }
    if (!endsBatch) return;
    if (inBatch > 0) left.push(`${left.pop() ?? ''}.`);
    inBatch = 0;
  });
  return left;
}

const boundaryOf = (wal: Wal): number =>
  wal.segments().findLast((entry) => entry.dataLength === undefined)!.name.firstSequence;

describe('compaction', () => {
  it('drops what the policy names from sealed segments, and every other record keeps its sequence', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    await fill(wal, 3);
    const reader = await WalReader.open(LOG, { fileSystem: system.sibling() });
    const texts = await textsOf(wal);
    expect(await textsOf(reader)).toEqual(texts);
    const below = boundaryOf(wal);
    const seen: number[] = [];
    const report = await wal.maintenance.compact(policyUpTo(below), {
      onProgress: ({ bytesDone }) => seen.push(bytesDone),
    });
    const dropped = texts.filter((_, index) => index + 1 < below && isDropped(index + 1)).length;
    expect(report).toMatchObject({ segments: 3, rewritten: 3, droppedRecords: dropped });
    expect(report.bytesAfter).toBeLessThan(report.bytesBefore / 2);
    expect(seen).toHaveLength(3);
    const left = withoutDropped(texts, below);
    for (const source of [wal, reader]) {
      expect(await textsOf(source)).toEqual(left);
      for (let sequence = 1; sequence <= texts.length; sequence++) {
        const record = source.recordAt(at(sequence));
        expect(record?.sequence).toBe(
          sequence < below && isDropped(sequence) ? undefined : sequence,
        );
      }
      const numbers = left.map((text) => Number.parseInt(text, 10));
      for (let sequence = 0; sequence <= texts.length + 1; sequence++)
        expect(source.recordAtOrAbove(at(sequence))?.sequence).toBe(
          numbers.find((number) => number >= sequence),
        );
      expect(await source.scan(BEFORE_FIRST, () => undefined)).toBe(wal.durableSequence);
      expect((await source.verify()).problems).toEqual([]);
      expect(source.timelineAt(at(1))).toBe(wal.timeline);
    }
    expect((await wal.maintenance.scrub({ bytesPerSecond: 1e12 })).problems).toEqual([]);
    const files = system.list(LOG).filter((file) => file.endsWith('.wal'));
    expect(files.map((file) => file.split('.')[1]).sort()).toEqual(['0', '1', '1', '1']);
    const image = afterPowerCut(system.disk);
    await Promise.all([wal.close(), reader.close()]);
    for (const after of [SimulatedFileSystem.on(image), system]) {
      const next = await openSimulated(after, { verifyOnOpen: true }, 2);
      expect(await textsOf(next)).toEqual(left);
      await next.append(batchAfter(next.lastSequence, 1)).durable;
      await next.close();
    }
    expect([system.openFileCount, system.misuses]).toEqual([0, []]);
  });

  it.each([
    ['open', 0, 'EMFILE', 'EMFILE'],
    ['write', 2, 'ENOSPC', 'ENOSPC'],
    ['sha256', 0, 'EIO', 'EIO'],
    ['data-sync', 0, 'EIO', 'EIO'],
    ['read', 1, 'EIO', 'WAL_READ_FAILED'],
    ['publish', 0, 'EIO', 'EIO'],
  ] as const)('leaves nothing of a segment whose %s after %i fails with %s', async (...given) => {
    const [operation, skip, code, told] = given;
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    await fill(wal, 2);
    const [before, texts] = [system.list(LOG), await textsOf(wal)];
    const path = operation === 'publish' ? /\.1\.wal$/ : /compact-/;
    const effect = { kind: 'error', code } as const;
    const mended = system.faults.plan({ operation, path, skip, effect });
    const compacted = wal.maintenance.compact(policyUpTo(boundaryOf(wal)));
    await expect(compacted).rejects.toMatchObject({ code: told });
    expect(system.list(LOG).sort()).toEqual(before.sort());
    expect(await textsOf(wal)).toEqual(texts);
    mended();
    expect(await wal.maintenance.compact(policyUpTo(boundaryOf(wal)))).toMatchObject({
      rewritten: 2,
    });
    await wal.close();
    expect([system.openFileCount, system.misuses]).toEqual([0, []]);
  });

  it.each([
    ['open', 'EMFILE', /MANIFEST-.*tmp$/],
    ['data-sync', 'EIO', /MANIFEST-.*tmp$/],
    ['sync-directory', 'EMFILE', /./],
  ] as const)('leaves nothing of what MANIFEST cannot name: %s fails with %s', async (...given) => {
    const [operation, code, path] = given;
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    await fill(wal, 2);
    const before = system.list(LOG).sort();
    const mended = system.faults.plan({ operation, path, effect: { kind: 'error', code } });
    for (let attempt = 0; attempt < 2; attempt++)
      await expect(wal.maintenance.compact(policyUpTo(boundaryOf(wal)))).rejects.toMatchObject({
        code,
      });
    mended();
    expect(system.list(LOG).sort()).toEqual(before);
    expect(await wal.maintenance.compact(policyUpTo(boundaryOf(wal)))).toMatchObject({
      rewritten: 2,
    });
    await wal.close();
  });

  it('leaves nothing of a new file that got its name, and could not lose the temporary one', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    await fill(wal, 2);
    const before = system.list(LOG).sort();
    const publish = system.publish.bind(system);
    system.publish = async (from, to) => {
      await publish(from, to);
      if (from.includes('compact-')) throw Object.assign(new Error('EIO'), { code: 'EIO' });
    };
    for (let attempt = 0; attempt < 2; attempt++)
      await expect(wal.maintenance.compact(policyUpTo(boundaryOf(wal)))).rejects.toMatchObject({
        code: 'EIO',
      });
    expect(system.list(LOG).sort()).toEqual(before);
    system.publish = publish;
    expect(await wal.maintenance.compact(policyUpTo(boundaryOf(wal)))).toMatchObject({
      rewritten: 2,
    });
    await wal.close();
  });

  it('keeps what a MANIFEST names whose renaming could not be synced', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    await fill(wal, 2);
    const effect = { kind: 'error', code: 'EIO' } as const;
    const texts = await textsOf(wal);
    // The first is of the new file, the second of MANIFEST.
    system.faults.plan({ operation: 'sync-directory', skip: 1, times: 1, effect });
    const below = boundaryOf(wal);
    await expect(wal.maintenance.compact(policyUpTo(below))).rejects.toMatchObject({ code: 'EIO' });
    // Readers find the new file, and so the log itself goes on from it.
    const left = await textsOf(wal);
    expect(left.length).toBeLessThan(texts.length);
    const opened = await openSimulated(SimulatedFileSystem.on(system.disk.image()), {}, 2);
    expect((await opened.verify()).problems).toEqual([]);
    expect(await textsOf(opened)).toEqual(left);
  });

  it.each(['EIO', 'EMFILE'])(
    'whose MANIFEST could not be synced (%s) is gone on with, and no reader takes the log for another',
    async (code) => {
      const system = SimulatedFileSystem.on();
      const wal = await openSimulated(system);
      await fill(wal, 4);
      const second = at(wal.segments()[1]!.name.firstSequence);
      const reader = await WalReader.open(LOG, { fileSystem: system.sibling() });
      const effect = { kind: 'error', code } as const;
      const failOnce = (skip: number) =>
        system.faults.plan({ operation: 'sync-directory', skip, times: 1, effect });
      failOnce(1);
      const compact = () => wal.maintenance.compact(policyUpTo(boundaryOf(wal)));
      await expect(compact()).rejects.toMatchObject({ code });
      await fill(wal, 1);
      expect(await textsOf(reader)).toEqual(await textsOf(wal));
      // The same of a removal: the beginning that MANIFEST names is that of the log.
      // Its first sync is for what the compaction has left.
      failOnce(1);
      const remove = () => wal.maintenance.removeSegments({ below: second });
      await expect(remove()).rejects.toMatchObject({ code });
      expect(wal.firstSequence).toBe(second);
      expect((await compact()).rewritten).toBeGreaterThan(0);
      await fill(wal, 1);
      const after = at(second - 1);
      expect(await textsOf(reader, after)).toEqual(await textsOf(wal, after));
      expect((await reader.verify()).problems).toEqual([]);
      await Promise.all([reader.close(), wal.close()]);
      const next = await openSimulated(SimulatedFileSystem.on(system.disk.image()), {}, 2);
      expect(next.firstSequence).toBe(second);
      expect((await next.verify()).problems).toEqual([]);
      await next.close();
    },
  );

  it('takes away the generations that earlier ones have left behind a sync that failed', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    await fill(wal, 5);
    const compact = () => wal.maintenance.compact(policyUpTo(boundaryOf(wal)));
    const effect = { kind: 'error', code: 'EMFILE' } as const;
    for (let attempt = 0; attempt < 3; attempt++) {
      // The first sync is of what the last attempt has left, or of the new generation's name; then that of MANIFEST.
      const skip = attempt === 0 ? 1 : 2;
      const end = system.faults.plan({ operation: 'sync-directory', skip, times: 1, effect });
      await expect(compact()).rejects.toMatchObject({ code: 'EMFILE' });
      end();
    }
    const files = () => system.list(LOG).filter((file) => file.endsWith('.wal'));
    expect(files().length).toBeGreaterThan(wal.segments().length);
    await compact();
    expect(files()).toHaveLength(wal.segments().length);
    expect((await wal.verify()).problems).toEqual([]);
    await wal.close();
  });

  it('begins no segment that would take what a full disk keeps for checkpoints and MANIFEST', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    await fill(wal, 2);
    system.faults.plan({
      ...{ operation: 'open', path: /compact-/, times: 1 },
      effect: { kind: 'error', code: 'EIO' },
    });
    const totalBytes = 16 * 64 * 1024;
    let freeBytes = 64 * 1024;
    system.space = () => ({ totalBytes, freeBytes });
    const compact = (): Promise<unknown> => wal.maintenance.compact(policyUpTo(boundaryOf(wal)));
    await expect(compact()).rejects.toMatchObject({ code: 'ENOSPC' });
    freeBytes += 32 * 1024;
    await expect(compact()).rejects.toMatchObject({ code: 'EIO' });
    expect(await compact()).toMatchObject({ rewritten: 2 });
    await wal.close();
  });

  it('may be asked for again: with nothing more to drop it changes nothing, with more it goes on', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    await fill(wal, 2);
    const texts = await textsOf(wal);
    const below = boundaryOf(wal);
    await wal.maintenance.compact(policyUpTo(below, (sequence) => sequence % 2 === 0));
    const before = system.list(LOG);
    expect(
      await wal.maintenance.compact(policyUpTo(below, (sequence) => sequence % 2 === 0)),
    ).toMatchObject({
      ...{ segments: 2, rewritten: 0, droppedRecords: 0 },
    });
    expect(system.list(LOG)).toEqual(before);
    const most = (sequence: number): boolean => sequence % 7 !== 0;
    expect((await wal.maintenance.compact(policyUpTo(below, most))).rewritten).toBe(2);
    const both = (sequence: number): boolean => sequence % 2 === 0 || most(sequence);
    const left = (await textsOf(wal)).map((text) => text.replace(/\.$/, ''));
    expect(left).toEqual(withoutDropped(texts, below, both).map((text) => text.replace(/\.$/, '')));
    const everything = await wal.maintenance.compact(policyUpTo(below, () => true));
    expect(everything.rewritten).toBe(2);
    expect((await textsOf(wal))[0]).toMatch(`${below}=`);
    await wal.close();
    const next = await openSimulated(system, {}, 2);
    expect(next.firstSequence).toBe(1);
    await next.close();
  });

  it('leaves segments alone that would hardly shrink, or are not wholly below', async () => {
    const wal = await openSimulated(SimulatedFileSystem.on());
    await fill(wal, 2);
    const below = boundaryOf(wal);
    const one = policyUpTo(below, (sequence) => sequence === 1);
    expect((await wal.maintenance.compact(one)).rewritten).toBe(0);
    expect((await wal.maintenance.compact({ ...one, savedFractionMin: 0 })).rewritten).toBe(1);
    expect((await wal.maintenance.compact(policyUpTo(below - 1))).segments).toBe(1);
    await wal.close();
  });

  it('lets readers go on where they stood while it replaces what they read', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    await fill(wal, 3);
    const texts = await textsOf(wal);
    const below = boundaryOf(wal);
    const other = await WalReader.open(LOG, { fileSystem: system.sibling() });
    const readers = [wal, other].map((source) =>
      source.read({ after: BEFORE_FIRST })[Symbol.asyncIterator](),
    );
    const seen: number[][] = [[], []];
    const take = async (index: number): Promise<boolean> => {
      const next = await readers[index]!.next();
      if (next.done !== true) seen[index]!.push(next.value.sequence);
      return next.done !== true;
    };
    for (let count = 0; count < 10; count++) for (const index of [0, 1]) await take(index);
    await wal.maintenance.compact(policyUpTo(below));
    for (const index of [0, 1]) {
      while (await take(index));
      const sequences = seen[index]!;
      // In order, each once, and everything that was not dropped.
      expect([...new Set(sequences)].sort((a, b) => a - b)).toEqual(sequences);
      const kept = texts.map((_, offset) => offset + 1).filter((n) => n >= below || !isDropped(n));
      expect(kept.filter((sequence) => !sequences.includes(sequence))).toEqual([]);
    }
    await Promise.all([wal.close(), other.close()]);
  });

  it('refuses a segment that has rotted, and rewrites nothing of it', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    await fill(wal, 2);
    const [first] = system
      .list(LOG)
      .filter((file) => file.endsWith('.wal'))
      .sort();
    for (const offset of [4_200, 12_000]) {
      system.disk.flipBit(`${LOG}/${first}`, offset);
      await expect(wal.maintenance.compact(policyUpTo(boundaryOf(wal)))).rejects.toMatchObject({
        code: 'WAL_CORRUPT',
      });
      system.disk.flipBit(`${LOG}/${first}`, offset);
    }
    expect(system.list(LOG)).toContain(first);
    expect((await wal.verify()).problems).toEqual([]);
    await wal.close();
  });

  it.each(['write', 'data-sync', 'publish', 'rename', 'sync-directory', 'unlink'] as const)(
    'that fails at a %s loses nothing, and can be asked for again',
    async (operation) => {
      const system = SimulatedFileSystem.on();
      const wal = await openSimulated(system);
      await fill(wal, 2);
      const texts = await textsOf(wal);
      const below = boundaryOf(wal);
      const path = operation === 'write' || operation === 'data-sync' ? /compact-/ : undefined;
      const end = system.faults.plan({
        operation,
        ...(path !== undefined && { path }),
        effect: { kind: 'error', code: 'EIO' },
      });
      await expect(wal.maintenance.compact(policyUpTo(below))).rejects.toMatchObject({
        code: 'EIO',
      });
      end();
      const kept = (found: readonly string[]): string[] =>
        withoutDropped(texts, below).filter((text) => !found.includes(text));
      const crashed = SimulatedFileSystem.on(system.disk.image());
      const next = await openSimulated(crashed, {}, 2);
      const afterCrash = (await textsOf(next)).map((text) => text.replace(/\.$/, ''));
      expect(kept([...afterCrash, ...afterCrash.map((text) => `${text}.`)])).toEqual([]);
      expect((await next.verify()).problems).toEqual([]);
      await next.close();
      await wal.maintenance.compact(policyUpTo(below));
      expect(await textsOf(wal)).toEqual(withoutDropped(texts, below));
      await wal.close();
      const reopened = await openSimulated(system, {}, 3);
      expect(await textsOf(reopened)).toEqual(withoutDropped(texts, below));
      await reopened.close();
      expect([system.openFileCount, system.misuses]).toEqual([0, []]);
    },
  );

  it('goes well with archive, removal and backup, and what was backed up restores to any sequence', async () => {
    const system = SimulatedFileSystem.on();
    const archive = ArchiveDirectory.open('/archive', { create: true, fileSystem: system });
    const wal = await openSimulated(system, { archive });
    await fill(wal, 3);
    const texts = await textsOf(wal);
    const below = boundaryOf(wal);
    await wal.maintenance.compact(policyUpTo(below));
    await wal.maintenance.archiveSealed();
    const left = withoutDropped(texts, below);
    await wal.maintenance.backup('/backup');
    expect((await verifyBackup('/backup', { fileSystem: system })).problems).toEqual([]);
    await wal.maintenance.removeSegments({ below: wal.durableSequence });
    expect(wal.stats().archivedSegments).toBe(2);
    expect(await textsOf(wal)).toEqual(left);
    await wal.close();
    const again = await openSimulated(system, { archive }, 2);
    expect(await textsOf(again)).toEqual(left);
    await again.close();
    for (let upTo = 0; upTo <= texts.length; upTo += 5) {
      const target = SimulatedFileSystem.on(system.disk.image());
      await restoreLog('/backup', '/restored', { upTo: at(upTo), fileSystem: target });
      const restored = await openRestored(target);
      const found = await textsOf(restored);
      expect(left.slice(0, found.length)).toEqual(found);
      // Nothing more of what is left would have been a whole batch in time.
      const next = left.slice(found.length).find((text) => text.endsWith('.'));
      if (next !== undefined) expect(Number(next.split('=')[0])).toBeGreaterThan(upTo);
      expect((await restored.verify()).problems).toEqual([]);
      await restored.close();
    }
  }, 60_000);
});

function openRestored(system: SimulatedFileSystem): Promise<Wal> {
  const moved = [...system.disk.image().files]
    .filter(([path]) => path.startsWith('/restored/'))
    .map(([path, content]) => [path.replace('/restored', LOG), content] as const);
  const image = { files: new Map(moved), directories: new Set(['/data', LOG]) };
  return openSimulated(SimulatedFileSystem.on(image), { create: false }, 42);
}

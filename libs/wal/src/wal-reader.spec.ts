import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ArchiveDirectory } from './care/archive/archive-directory.js';
import { readManifest, writeManifest } from './directory/manifest.js';
import {
  batchAfter,
  type DiskImage,
  LOG,
  openSimulated,
  SimulatedFileSystem,
  textsOf,
} from './testing/index.js';
import type { WalOptions } from './wal-options.js';
import { WalReader } from './wal-reader.js';
import type { Sequence } from './wal.types.js';

const at = (sequence: number): Sequence => sequence as Sequence;

describe('a reader in another process', () => {
  it('sees what is durable and nothing else, also as the log grows and rotates', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system, { durability: 'none' });
    const reader = await WalReader.open(LOG, { fileSystem: system.sibling() });
    for (let round = 0; round < 20; round++) {
      for (const part of [0, 1]) await wal.append(batchAfter(6 * round + 3 * part, 3, 900)).durable;
      if (round % 3 !== 0) await wal.flush();
      expect(reader.durableSequence).toBe(wal.durableSequence);
      expect(await textsOf(reader)).toEqual(await textsOf(wal));
    }
    expect(wal.stats().rotations).toBeGreaterThan(2);
    expect(reader.timelineAt(at(1))).toBe(wal.timelineAt(at(1)));
    await Promise.all([reader.close(), wal.close()]);
  });

  it('goes on through a crash of the writer and the recovery by the next one', async () => {
    const dying = SimulatedFileSystem.on();
    const first = await openSimulated(dying, {}, 1);
    await first.append(batchAfter(0, 2)).durable;
    const observer = dying.sibling();
    const reader = await WalReader.open(LOG, { fileSystem: observer });
    const stop = new AbortController();
    const seen: number[] = [];
    const following = (async () => {
      for await (const { sequence } of reader.follow({ after: at(0), signal: stop.signal })) {
        seen.push(sequence);
        if (sequence === 4) stop.abort();
      }
    })();
    dying.kill();
    await first.close();
    const second = await openSimulated(dying.sibling(), {}, 2);
    await second.append(batchAfter(2, 2)).durable;
    await following;
    expect(seen).toEqual([1, 2, 3, 4]);
    await Promise.all([reader.close(), second.close()]);
    expect(observer.openFileCount).toBe(0);
  });

  describe('while nothing moves', () => {
    let aSecondLater = 0;
    beforeEach(() => {
      const now = performance.now.bind(performance);
      aSecondLater = 0;
      jest.spyOn(performance, 'now').mockImplementation(() => now() + (aSecondLater += 1_000));
    });
    afterEach(() => {
      jest.restoreAllMocks();
    });

    it('finds the WATERMARK that has taken the place of the one it has open', async () => {
      const system = SimulatedFileSystem.on();
      const first = await openSimulated(system, {}, 1);
      await first.append(batchAfter(0, 1)).durable;
      const reader = await WalReader.open(LOG, { fileSystem: system.sibling() });
      expect(reader.durableSequence).toBe(1);
      await first.close();
      system.unlink(`${LOG}/WATERMARK`);
      const second = await openSimulated(system, {}, 2);
      await second.append(batchAfter(1, 2)).durable;
      // The first look may find that something has moved: the end of the sealed segment.
      expect([reader.durableSequence, reader.durableSequence].at(-1)).toBe(3);
      await Promise.all([reader.close(), second.close()]);
    });

    it('goes on where the newest segment that it knows was sealed and compacted meanwhile', async () => {
      const system = SimulatedFileSystem.on();
      const first = await openSimulated(system, {}, 1);
      await first.append(batchAfter(0, 2, 2_000)).durable;
      const reader = await WalReader.open(LOG, { fileSystem: system.sibling() });
      expect(reader.durableSequence).toBe(2);
      await first.close();
      const second = await openSimulated(system, {}, 2);
      const policy = { below: at(3), drop: (sequence: Sequence) => sequence === 1 };
      expect(await second.maintenance.compact(policy)).toMatchObject({ rewritten: 1 });
      for (let look = 0; look < 2; look++) expect(reader.durableSequence).toBe(2);
      expect(reader.recordAt(at(1))).toBeUndefined();
      await Promise.all([reader.close(), second.close()]);
    });

    it.each(['another log', 'nothing'])('says that %s is in the place of its log', async (what) => {
      const system = SimulatedFileSystem.on();
      const old = await openSimulated(system, {}, 1);
      await old.append(batchAfter(0, 2)).durable;
      await old.close();
      const reader = await WalReader.open(LOG, { fileSystem: system.sibling() });
      expect(reader.durableSequence).toBe(2);
      system.rename(LOG, `${LOG}-old`);
      const gone: unknown = expect.objectContaining({ code: 'WAL_NOT_FOUND' });
      if (what === 'another log') await (await openSimulated(system, {}, 2)).close();
      for (let look = 0; look < 2; look++) expect(() => reader.durableSequence).toThrow(gone);
      await expect(textsOf(reader)).rejects.toEqual(gone);
      await reader.close();
    });
  });

  describe('whose files are overwritten in place by another history of the log', () => {
    let nowMillis: number;
    beforeEach(() => {
      nowMillis = 0;
      jest.spyOn(performance, 'now').mockImplementation(() => nowMillis);
    });
    afterEach(() => {
      jest.restoreAllMocks();
    });

    /** Opened once for each: the history forks behind the first. */
    async function historyOf(
      system: SimulatedFileSystem,
      sizes: readonly number[],
      firstSeed: number,
    ): Promise<DiskImage> {
      for (const [at, size] of sizes.entries()) {
        const wal = await openSimulated(system, {}, firstSeed + at);
        await wal.append(batchAfter(wal.lastSequence, size)).durable;
        await wal.close();
      }
      return system.disk.image();
    }

    /** As `rsync --inplace --delete` does: the same directory, and the same files where the names are the same. */
    function overwrite(system: SimulatedFileSystem, { files }: DiskImage, but: readonly string[]) {
      for (const name of system.list(LOG)) {
        const path = `${LOG}/${name}`;
        if (!files.has(path) && !but.includes(name)) system.unlink(path);
      }
      for (const [path, content] of files) {
        if (but.some((name) => path === `${LOG}/${name}`)) continue;
        const file = system.open(path, system.exists(path) ? 'write' : 'create');
        file.truncate(content.length);
        file.write(content, 0);
        file.close();
      }
    }

    it.each<[what: string, other: number[], but: string[]]>([
      ['of the same names', [2], []],
      ['of the same names, that goes further', [2, 3], []],
      ['of the same names, without its WATERMARK', [2], ['WATERMARK']],
      ['with fewer records in each segment', [1, 1, 1], []],
      ['with more records in each segment', [3, 1], []],
      ['that ends earlier', [], []],
      ['that ends earlier, without its WATERMARK', [], ['WATERMARK']],
    ])('finds one %s', async (_, other, but) => {
      const system = SimulatedFileSystem.on();
      const fork = await historyOf(system, [2], 1);
      await historyOf(system, [2, 1], 10);
      const reader = await WalReader.open(LOG, { fileSystem: system.sibling() });
      expect(reader.durableSequence).toBe(5);
      expect(reader.recordAt(at(3))).toBeDefined();
      overwrite(system, await historyOf(SimulatedFileSystem.on(fork), other, 20), but);
      const gone: unknown = expect.objectContaining({ code: 'WAL_NOT_FOUND' });
      // The first look may find that WATERMARK has moved.
      const looks = (): Sequence[] =>
        [1, 2].map(() => {
          nowMillis += 1_000;
          return reader.durableSequence;
        });
      expect(looks).toThrow(gone);
      expect(() => reader.recordAt(at(3))).toThrow(gone);
      await expect(textsOf(reader)).rejects.toEqual(gone);
      await reader.close();
    });
  });

  it('changes nothing and holds no lock', async () => {
    const system = SimulatedFileSystem.on();
    await (await openSimulated(system)).close();
    const operations = system.disk.operations.length;
    const reader = await WalReader.open(LOG, { fileSystem: system.sibling() });
    expect(await textsOf(reader)).toEqual([]);
    expect(system.disk.operations.length).toBe(operations);
    await (await openSimulated(system)).close();
    await reader.close();
  });

  it('finds no log where there is none, or where one is still being made', async () => {
    const system = SimulatedFileSystem.on();
    const open = (): Promise<WalReader> => WalReader.open(LOG, { fileSystem: system });
    await expect(open()).rejects.toMatchObject({ code: 'WAL_NOT_FOUND' });
    system.faults.plan({
      operation: 'publish',
      times: 1,
      effect: { kind: 'error', code: 'EIO' },
    });
    await expect(openSimulated(system)).rejects.toMatchObject({ code: 'EIO' });
    await expect(open()).rejects.toMatchObject({ code: 'WAL_NOT_FOUND' });
  });

  it.each([false, true])(
    'follows a beginning that retention has moved, with an archive: %s',
    async (archived) => {
      const system = SimulatedFileSystem.on();
      const archiveOf = (fileSystem: SimulatedFileSystem): WalOptions =>
        archived
          ? { archive: ArchiveDirectory.open('/archive', { create: true, fileSystem }) }
          : {};
      const wal = await openSimulated(system, archiveOf(system));
      while (wal.stats().rotations < 3)
        await wal.append(batchAfter(wal.lastSequence, 3, 900)).durable;
      const other = system.sibling();
      if (archived) await wal.maintenance.archiveSealed();
      const reader = await WalReader.open(LOG, { fileSystem: other, ...archiveOf(other) });
      expect((await reader.verify()).problems).toEqual([]);
      await wal.maintenance.removeSegments({ below: (wal.durableSequence - 5) as Sequence });
      expect((await reader.verify()).problems).toEqual([]);
      expect(reader.firstSequence).toBe(wal.firstSequence);
    },
  );

  it('begins where the log does now when the beginning has moved since it was opened', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    while (wal.stats().rotations < 3)
      await wal.append(batchAfter(wal.lastSequence, 3, 900)).durable;
    const reader = await WalReader.open(LOG, { fileSystem: system.sibling() });
    await wal.maintenance.removeSegments({ below: (wal.durableSequence - 5) as Sequence });
    expect(reader.firstSequence).toBe(wal.firstSequence);
    const after = (reader.firstSequence - 1) as Sequence;
    expect(await textsOf(reader, after)).toEqual(await textsOf(wal, after));
  });

  it('says which segment is missing rather than end before it', async () => {
    const system = SimulatedFileSystem.on();
    for (const seed of [1, 2, 3]) {
      const wal = await openSimulated(system, {}, seed);
      await wal.append(batchAfter(seed - 1, 1)).durable;
      await wal.close();
    }
    const whole = system.disk.image();
    for (const path of [...whole.files.keys()].filter((name) => name.endsWith('.wal'))) {
      const files = new Map(whole.files);
      files.delete(path);
      const reader = await WalReader.open(LOG, {
        fileSystem: SimulatedFileSystem.on({ ...whole, files }),
      });
      await expect(textsOf(reader)).rejects.toMatchObject({ code: 'WAL_MISSING_SEGMENT' });
      expect((await reader.verify()).problems).toHaveLength(1);
      await reader.close();
    }
  });

  it('refuses a segment that is there twice, or is not what its name says', async () => {
    const system = SimulatedFileSystem.on();
    for (const seed of [1, 2]) {
      const wal = await openSimulated(system, {}, seed);
      await wal.append(batchAfter(seed - 1, 1)).durable;
      await wal.close();
    }
    const whole = system.disk.image();
    const [first = '', second = ''] = [...whole.files.keys()].filter((path) =>
      path.endsWith('.wal'),
    );
    const doubles: [path: string, content: Buffer | undefined][] = [
      [first.replace(/1\.0\.wal$/, '2.0.wal'), whole.files.get(first)],
      [second.replace(/2\.0\.wal$/, '3.0.wal'), whole.files.get(second)],
      [second, whole.files.get(first)],
    ];
    for (const [path, content] of doubles) {
      const files = new Map(whole.files).set(path, content ?? Buffer.alloc(0));
      const fileSystem = SimulatedFileSystem.on({ ...whole, files });
      await expect(WalReader.open(LOG, { fileSystem })).rejects.toMatchObject({
        code: 'WAL_CORRUPT',
        details: { file: path },
      });
    }
  });

  it('says so when the segments change with every look, and goes on when they rest', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    await wal.append(batchAfter(0, 2)).durable;
    await wal.close();
    const observer = system.sibling();
    const manifest = readManifest(system, LOG)!;
    const list = observer.list.bind(observer);
    let generation = 0;
    observer.list = (directory) => {
      // As compaction does, of a segment that has not been listed.
      const generations = new Map([[1_000, ++generation]]);
      writeManifest(system, LOG, { ...manifest, generations });
      return list(directory);
    };
    const opening = WalReader.open(LOG, { fileSystem: observer });
    await expect(opening).rejects.toMatchObject({ code: 'WAL_READ_FAILED' });
    observer.list = list;
    const reader = await WalReader.open(LOG, { fileSystem: observer });
    expect(reader.durableSequence).toBe(2);
    await reader.close();
  });
});

import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { NodeFileSystem } from '../../disk/node-file-system.js';
import { Wal } from '../../wal.js';
import { BEFORE_FIRST, type Sequence } from '../../wal.types.js';
import { salvage } from './salvage.js';

describe('making a new log of a damaged one', () => {
  let directory: string;
  let damaged: string;
  let target: string;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'salvage-'));
    damaged = join(directory, 'damaged');
    target = join(directory, 'target');
    const wal = await Wal.open(damaged, {
      create: true,
      frameBytesMax: 16 * 1024,
      segmentBytes: 32 * 1024,
    });
    for (let batch = 0; batch < 60; batch++)
      await wal.append([payloadOf(2 * batch + 1), payloadOf(2 * batch + 2)]).durable;
    await wal.close();
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  const segments = (): string[] => readdirSync(damaged).filter((file) => file.endsWith('.wal'));

  const flip = (file: string, offset: number): void => {
    const path = join(damaged, file);
    const bytes = readFileSync(path);
    bytes[offset] = (bytes[offset] ?? 0) ^ 1;
    writeFileSync(path, bytes);
  };

  const salvaged = async (): Promise<number[]> => {
    const wal = await Wal.open(target);
    const sequences: number[] = [];
    for await (const { sequence, payload } of wal.read({ after: BEFORE_FIRST })) {
      expect(Buffer.from(payload).equals(payloadOf(sequence))).toBe(true);
      sequences.push(sequence);
    }
    expect((await wal.verify()).problems).toEqual([]);
    const { first } = wal.append([payloadOf(wal.lastSequence + 1)]);
    expect(first).toBe(121);
    await wal.close();
    return sequences;
  };

  const all = Array.from({ length: 120 }, (_, at) => at + 1);

  it('is refused on a network file system before anything is copied, unless told otherwise', async () => {
    const fileSystem = new NodeFileSystem();
    fileSystem.isNetwork = () => true;
    await expect(salvage(damaged, target, { fileSystem })).rejects.toMatchObject({
      code: 'WAL_UNSUPPORTED_FILE_SYSTEM',
    });
    expect(existsSync(target)).toBe(false);
    await salvage(damaged, target, {
      fileSystem: Object.assign(new NodeFileSystem(), { isNetwork: () => true }),
      allowNetworkFileSystem: true,
    });
    expect(await salvaged()).toEqual(all);
  });

  it('brings everything over when only MANIFEST is gone, and reads the damaged log only', async () => {
    rmSync(join(damaged, 'MANIFEST'));
    const before = hashOf(damaged);
    const report = await salvage(damaged, target);
    expect(report).toMatchObject({
      firstSequence: 1,
      lastSequence: 120,
      records: 120,
      missing: [],
      losses: [],
    });
    expect(await salvaged()).toEqual(all);
    expect(hashOf(damaged)).toBe(before);
  });

  it.each(['damaged', 'gone'])(
    'takes what retention has removed for no gap where MANIFEST is %s, and says that it cannot know',
    async (how) => {
      const own = await Wal.open(damaged, { frameBytesMax: 16 * 1024, segmentBytes: 32 * 1024 });
      await own.maintenance.removeSegments({ below: 60 as Sequence });
      const { firstSequence } = own;
      expect(firstSequence).toBeGreaterThan(1);
      const timelines = own.timelines(10);
      await own.close();
      if (how === 'gone') rmSync(join(damaged, 'MANIFEST'));
      else flip('MANIFEST', 40);
      const report = await salvage(damaged, target);
      expect(report).toMatchObject({ firstSequence, lastSequence: 120, missing: [] });
      const reason: unknown = expect.stringMatching(/^MANIFEST cannot be read/);
      expect(report.losses).toMatchObject([{ reason }]);
      const wal = await Wal.open(target);
      expect(wal.firstSequence).toBe(firstSequence);
      expect(wal.timelineAt(firstSequence)).toBe(
        timelines.find((it) => it.firstSequence <= firstSequence)?.timeline,
      );
      await wal.close();
    },
  );

  it('keeps every other record in its place when a frame is damaged, and names what is gone', async () => {
    const second = segments()[1]!;
    const gone = parseInt(second.slice(17, 33), 16);
    flip(second, 8192 + 64 + 100);
    const report = await salvage(damaged, target);
    expect(report.missing).toEqual([{ firstSequence: gone, lastSequence: gone + 1 }]);
    expect(report.losses).toMatchObject([{ from: 8192 }]);
    expect(await salvaged()).toEqual(all.filter((it) => it !== gone && it !== gone + 1));
  });

  it('begins behind what is gone of the beginning, in the same history, for states and snapshots that stand for it', async () => {
    const own = await Wal.open(damaged, { frameBytesMax: 16 * 1024, segmentBytes: 32 * 1024 });
    const history = own.timelineAt(3 as Sequence);
    await own.close();
    flip(segments()[0] ?? '', 8192 + 64 + 100);
    const report = await salvage(damaged, target);
    expect(report.missing).toEqual([{ firstSequence: 1, lastSequence: 2 }]);
    expect(report).toMatchObject({ firstSequence: 3, losses: [{ from: 8192 }] });
    const wal = await Wal.open(target);
    expect([wal.firstSequence, wal.timelineAt(3 as Sequence)]).toEqual([3, history]);
    expect(wal.timelineAt(2 as Sequence)).toBeUndefined();
    expect((await wal.verify()).problems).toEqual([]);
    await wal.close();
  });

  it('is of the same histories up to the first record that is gone, and of another from there on', async () => {
    const own = await Wal.open(damaged, { frameBytesMax: 16 * 1024, segmentBytes: 32 * 1024 });
    for (let sequence = 121; sequence <= 240; sequence++)
      await own.append([payloadOf(sequence)]).durable;
    const at = (wal: Wal, sequences: readonly number[]): (string | undefined)[] =>
      sequences.map((sequence) => wal.timelineAt(sequence as Sequence));
    const histories = at(own, [1, 120, 121]);
    await own.close();
    const broken = segments().at(-2)!;
    const first = parseInt(broken.slice(17, 33), 16);
    expect(first).toBeGreaterThan(121);
    flip(broken, 8192 + 64 + 100);
    const report = await salvage(damaged, target);
    expect(report.missing).toEqual([{ firstSequence: first, lastSequence: first }]);
    const wal = await Wal.open(target);
    expect(at(wal, [1, 120, 121])).toEqual(histories);
    const [before, gone, after, end] = at(wal, [first - 1, first, first + 1, 240]);
    expect(before).toBe(histories[2]);
    expect([after, end]).toEqual([gone, gone]);
    expect([...histories, wal.newestTimeline]).not.toContain(gone);
    expect((await wal.verify()).problems).toEqual([]);
    await wal.close();
  });

  it('stands gaps in the place of a lost segment', async () => {
    const [, second = '', third = ''] = segments();
    const [from, to] = [second, third].map((file) => parseInt(file.slice(17, 33), 16));
    rmSync(join(damaged, second));
    const report = await salvage(damaged, target);
    expect(report.missing).toEqual([{ firstSequence: from, lastSequence: (to ?? 0) - 1 }]);
    expect(await salvaged()).toEqual(
      all.filter((sequence) => sequence < (from ?? 0) || sequence >= (to ?? 0)),
    );
    const wal = await Wal.open(target);
    expect(wal.recordAt(from as Sequence)).toBeUndefined();
    await wal.close();
  });

  it('refuses a target that exists, and a directory without a readable segment', async () => {
    await expect(salvage(damaged, damaged)).rejects.toMatchObject({ code: 'WAL_SALVAGE_REFUSED' });
    await expect(salvage(directory, target)).rejects.toMatchObject({ code: 'WAL_SALVAGE_REFUSED' });
    expect(readdirSync(directory)).toEqual(['damaged']);
  });

  it('leaves no target where no frame can be read, so that it may be tried again', async () => {
    const empty = join(directory, 'empty');
    await (await Wal.open(empty, { create: true })).close();
    await expect(salvage(empty, target)).rejects.toMatchObject({
      code: 'WAL_SALVAGE_REFUSED',
      message: expect.stringContaining('no frame could be read'),
    });
    expect(existsSync(target)).toBe(false);
  });
});

describe('scrubbing', () => {
  it('finds a bit that has rotted in a sealed segment, and nothing where nothing has', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'scrub-'));
    const open = (): Promise<Wal> =>
      Wal.open(join(directory, 'log'), {
        create: true,
        frameBytesMax: 16 * 1024,
        segmentBytes: 32 * 1024,
      });
    const first = await open();
    for (let sequence = 1; sequence <= 60; sequence++)
      await first.append([payloadOf(sequence)]).durable;
    await first.close();
    // Opening finishes what closing left without a footer.
    const wal = await open();
    const rate = { bytesPerSecond: 1e9 };
    let report = await wal.maintenance.scrub(rate);
    for (let tries = 0; report.skipped > 0 && tries < 100; tries++)
      report = await wal.maintenance.scrub(rate);
    expect(report).toMatchObject({ skipped: 0, problems: [] });
    expect(report.segments).toBeGreaterThan(1);
    const file = readdirSync(join(directory, 'log')).find((name) => name.endsWith('.wal')) ?? '';
    const bytes = readFileSync(join(directory, 'log', file));
    bytes[9000] = (bytes[9000] ?? 0) ^ 0x10;
    writeFileSync(join(directory, 'log', file), bytes);
    expect((await wal.maintenance.scrub(rate)).problems).toMatchObject([
      { file: join(directory, 'log', file) },
    ]);
    await wal.close();
    rmSync(directory, { recursive: true });
  });
});

function payloadOf(sequence: number): Buffer {
  return Buffer.from(`${sequence}:`.padEnd(400 + sequence, 'x'));
}

function hashOf(directory: string): string {
  const hash = createHash('sha256');
  for (const file of readdirSync(directory).sort())
    hash.update(file).update(readFileSync(join(directory, file)));
  return hash.digest('hex');
}

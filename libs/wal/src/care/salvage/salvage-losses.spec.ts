import { errorCode } from '@holdfast/kernel';
import { describe, expect, it } from '@jest/globals';
import { parseSegmentName } from '../../format/segment-name.js';
import { FRAME_HEADER_BYTES, SEGMENT_DATA_START } from '../../format/wal-format.js';
import {
  batchAfter,
  type DiskImage,
  DiskReplay,
  framesOf,
  LOG,
  openSimulated,
  SimulatedFileSystem,
  simulatedOptions,
  textsOf,
} from '../../testing/index.js';
import { Wal } from '../../wal.js';
import type { WalOptions } from '../../wal-options.js';
import { BEFORE_FIRST, type Sequence } from '../../wal.types.js';
import { ArchiveDirectory } from '../archive/archive-directory.js';
import { salvage, type SalvageReport } from './salvage.js';
import { piecesOf } from './salvage-frames.js';
import { findSegments } from './salvage-segments.js';
import { SalvagedLog } from './salvaged-log.js';

const TARGET = '/data/salvaged';
const ARCHIVE = '/data/archive';

/** A record and a segment for each of its opens; archived are all but the last. */
async function logOf(opens: number): Promise<SimulatedFileSystem> {
  const system = SimulatedFileSystem.on({ files: new Map(), directories: new Set(['/data']) });
  const archive = ArchiveDirectory.open(ARCHIVE, { create: true, fileSystem: system });
  for (let sequence = 1; sequence <= opens; sequence++) {
    const wal = await openSimulated(system, { archive }, sequence);
    await wal.append(batchAfter(sequence - 1, 1)).durable;
    await wal.maintenance.archiveSealed();
    // Behind the footers, which are written in the background.
    await wal.maintenance.removeSegments({ below: BEFORE_FIRST });
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
  const archive = ArchiveDirectory.open(ARCHIVE, { fileSystem: system, passDamaged: true });
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
    expect(await wal.maintenance.compact(policy)).toMatchObject({ rewritten: 1 });
    await wal.close();
    for (const path of segmentsOf(system).slice(2)) system.unlink(path);
    system.unlink(`${LOG}/WATERMARK`);
    const report = await salvaged(system);
    expect(report).toMatchObject({ losses: [isMissing(3)] });
  });

  it('names zeros where data was, of which only the header behind it tells', async () => {
    const system = await logOf(4);
    await (await openSimulated(system, {}, 5)).close();
    system.unlink(`${LOG}/WATERMARK`);
    const path = segmentsOf(system)[3] ?? '';
    const file = system.open(path, 'write');
    file.write(Buffer.alloc(file.size() - SEGMENT_DATA_START), SEGMENT_DATA_START);
    file.close();
    const report = await salvaged(system);
    const lostTail = { firstSequence: 4, lastSequence: 4 };
    expect(report).toMatchObject({ lastSequence: 3, missing: [], lostTail });
    expect(report.losses).toMatchObject([{ file: path, from: SEGMENT_DATA_START }]);
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

describe('a salvage with an archive of which a file does not say any more what it is', () => {
  it('passes over that file, and names it', async () => {
    const system = await logOf(4);
    const archived = system.list(ARCHIVE).filter((file) => file.endsWith('.walz'));
    const path = `${ARCHIVE}/${archived.sort()[1] ?? ''}`;
    system.disk.flipBit(path, 100);
    for (const segment of segmentsOf(system).slice(0, 2)) system.unlink(segment);
    const open = (): unknown => ArchiveDirectory.open(ARCHIVE, { fileSystem: system });
    expect(open).toThrow(expect.objectContaining({ code: 'WAL_CORRUPT' }));
    const report = await salvaged(system, true);
    expect(report).toMatchObject({ records: 3, missing: [{ firstSequence: 2, lastSequence: 2 }] });
    expect(report.losses.map(({ file }) => file)).toEqual([path, LOG]);
  });

  it('reads one whose mark is damaged, and names it', async () => {
    const system = await logOf(4);
    system.disk.flipBit(`${ARCHIVE}/ARCHIVE`, 30);
    for (const segment of segmentsOf(system).slice(0, 2)) system.unlink(segment);
    const { records, losses } = await salvaged(system, true);
    expect(records).toBe(4);
    expect(losses).toMatchObject([{ file: `${ARCHIVE}/ARCHIVE` }]);
  });
});

describe('a salvage that something else than damage keeps from a file', () => {
  it.each([
    ['EACCES', /archive\/[^/]*\.walz$/],
    ['EMFILE', /archive\/[^/]*\.walz$/],
    ['EMFILE', /archive\/ARCHIVE$/],
    ['EMFILE', /\.wal$/],
    ['EMFILE', /MANIFEST$/],
    ['EMFILE', /WATERMARK$/],
    ['EMFILE', /FLOORS/],
  ])('is not made without it: %s of %s', async (code, path) => {
    const system = await logOf(4);
    for (const segment of segmentsOf(system).slice(0, 2)) system.unlink(segment);
    const end = system.faults.plan({ operation: 'open', path, effect: { kind: 'error', code } });
    await expect((async () => salvaged(system, true))()).rejects.toMatchObject({
      code: 'WAL_READ_FAILED',
      message: expect.stringContaining(code),
    });
    end();
    expect(system.exists(TARGET)).toBe(false);
    expect(await salvaged(system, true)).toMatchObject({ records: 4, losses: [] });
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
      await wal.maintenance.removeSegments({ below: 3 as Sequence });
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

  it('names floors that are gone where the log begins later', async () => {
    const remove = (system: SimulatedFileSystem): void => system.unlink(floorsOf(system));
    const beginning = /^there is no FLOORS: whether sequences 1 to 2 were removed/;
    expect(await losses(remove, true)).toEqual(matching(beginning));
    expect(await losses(remove)).toEqual([]);
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

describe('what a salvage has made', () => {
  const opened = (fileSystem: SimulatedFileSystem, options: WalOptions = {}): Promise<Wal> =>
    Wal.open(TARGET, { ...simulatedOptions(fileSystem), create: false, ...options });

  it('is promised as a whole, before it is first opened', async () => {
    const system = await logOf(2);
    await salvaged(system);
    const image = system.disk.image();
    const files = [...image.files.keys()].filter((path) => path.startsWith(TARGET));
    const segments = files.filter((path) => path.endsWith('.wal')).sort();
    const [first = '', newest = ''] = [segments[0], segments.at(-1)];
    for (const path of segments.slice(0, -1)) {
      const flipped = SimulatedFileSystem.on(image);
      flipped.disk.flipBit(path, SEGMENT_DATA_START + FRAME_HEADER_BYTES + 4);
      const wal = await opened(flipped);
      expect((await wal.verify()).problems).toMatchObject([{ file: path }]);
      await wal.close();
    }
    const cut = SimulatedFileSystem.on(image);
    const file = cut.open(segments.at(-2) ?? '', 'write');
    file.truncate(SEGMENT_DATA_START);
    file.close();
    await expect(opened(cut)).rejects.toMatchObject({ code: 'WAL_CORRUPT' });
    for (const path of [first, newest]) {
      const lacking = SimulatedFileSystem.on(image);
      lacking.unlink(path);
      await expect(opened(lacking)).rejects.toMatchObject({ code: 'WAL_MISSING_SEGMENT' });
    }
  });

  it('holds every frame with the time at which it was first written', async () => {
    const system = await logOf(3);
    await salvaged(system);
    const timesIn = (directory: string): unknown[] =>
      [...system.disk.image().files]
        .filter(([path]) => path.startsWith(directory) && path.endsWith('.wal'))
        .flatMap(([, content]) => framesOf(content))
        .filter(({ sequenceSpan }) => sequenceSpan > 0)
        .map(({ firstSequence, wallMicros }) => [firstSequence, wallMicros]);
    expect(timesIn(TARGET)).toHaveLength(3);
    expect(timesIn(TARGET)).toEqual(timesIn(LOG));
  });

  it('is not kept open segment by segment', async () => {
    const system = SimulatedFileSystem.on({ files: new Map(), directories: new Set(['/data']) });
    const wal = await openSimulated(system);
    for (let batch = 0; batch < 20; batch++)
      await wal.append(batchAfter(wal.lastSequence, 3, 900)).durable;
    await wal.close();
    const log = findSegments(system, LOG, undefined);
    const copy = new SalvagedLog(system, TARGET, { ...log, logId: log.logId ?? '' }, 24 * 1024);
    for (const segment of log.segments)
      for (const piece of piecesOf(segment))
        if (piece.kind === 'frame' && piece.frame.header.sequenceSpan > 0)
          await copy.add(piece.frame, segment.header.timeline);
    expect(await copy.finish()).toMatchObject({ records: 60 });
    const segments = system.list(TARGET).filter((file) => parseSegmentName(file) !== undefined);
    expect(segments.length).toBeGreaterThan(3);
    expect([system.openFileCount, system.misuses]).toEqual([0, []]);
  });

  it('tells a state that has come further in the same history that records are gone', async () => {
    const system = await logOf(2);
    const { logId } = await salvaged(system);
    const image = system.disk.image();
    const timeline = (await opened(system)).timelineAt(2 as Sequence) ?? '';
    const expects = { logId, sequence: 3 as Sequence, timeline };
    const behind = opened(SimulatedFileSystem.on(image), { expects });
    await expect(behind).rejects.toMatchObject({ code: 'WAL_BEHIND_STATE' });
  });

  it('is the whole log or none after a power cut anywhere', async () => {
    const system = await logOf(2);
    const before = system.disk.operations.length;
    await salvaged(system);
    const whole = await textsOf(await opened(SimulatedFileSystem.on(system.disk.image())));
    expect(whole).toHaveLength(2);
    const outcomes = new Set<string>();
    for (const image of powerCuts(system, before)) {
      const outcome = await opened(SimulatedFileSystem.on(image)).then(textsOf, errorCode);
      outcomes.add(String(outcome));
    }
    expect(outcomes).toEqual(new Set(['WAL_NOT_FOUND', 'WAL_MANIFEST_DAMAGED', whole.join()]));
  });
});

describe('a salvage that fails', () => {
  it.each(['create-zeroed', 'write', 'data-sync', 'publish', 'rename', 'sync-directory'] as const)(
    'wherever it is (%s), leaves no file open, no temporary file, and no log',
    async (operation) => {
      const image = (await logOf(3)).disk.image();
      let [failed, hasFailed] = [0, true];
      for (; hasFailed; failed += Number(hasFailed)) {
        const system = SimulatedFileSystem.on(image);
        const effect = { kind: 'error', code: 'EIO' } as const;
        const path = /^\/data\/salvaged/;
        system.faults.plan({ operation, path, skip: failed, times: 1, effect });
        const outcome = await salvaged(system).then(() => 'salvaged', errorCode);
        hasFailed = outcome !== 'salvaged';
        // The sync of the name that MANIFEST has already is the last that can fail.
        if (operation !== 'sync-directory')
          expect(system.exists(`${TARGET}/MANIFEST`)).toBe(!hasFailed);
        expect(outcome).toBe(hasFailed ? 'EIO' : 'salvaged');
        expect([system.openFileCount, system.misuses]).toEqual([0, []]);
        expect(system.list(TARGET).filter((file) => file.endsWith('.tmp'))).toEqual([]);
      }
      expect(failed).toBeGreaterThan(0);
    },
  );
});

/** After each operation: nothing that is not synced has reached the disk, or all of it, with each choice of the names that are not. */
function* powerCuts({ disk }: SimulatedFileSystem, fromPoint: number): Generator<DiskImage> {
  const replay = new DiskReplay(disk);
  for (const [point, operation] of disk.operations.entries()) {
    replay.apply(operation);
    if (point < fromPoint) continue;
    const names = replay.pendingEntries;
    for (let mask = 0; mask < 1 << names.length; mask++) {
      const kept = names.filter((_, at) => (mask & (1 << at)) !== 0);
      for (const changes of [[], replay.pendingChanges]) yield replay.image(changes, kept);
    }
  }
}

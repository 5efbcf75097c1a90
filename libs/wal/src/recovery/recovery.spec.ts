import { basename } from 'node:path';
import { errorCode, systemClock } from '@holdfast/kernel';
import { describe, expect, it } from '@jest/globals';
import { readManifest, writeManifest } from '../directory/manifest.js';
import { WriterLock } from '../directory/writer-lock.js';
import { crc32 } from '../format/checksum.js';
import { decodeFrameHeader, frameEnd, type FrameHeader } from '../format/frame-decoder.js';
import { FrameEncoder } from '../format/frame-encoder.js';
import {
  decodeSegmentHeader,
  frameSeed,
  isHeader,
  type SegmentHeader,
} from '../format/segment-header.js';
import { parseSegmentName } from '../format/segment-name.js';
import { HEADER_BLOCK_BYTES, SEGMENT_DATA_START } from '../format/wal-format.js';
import {
  batchAfter,
  type DiskImage,
  DiskReplay,
  LOG,
  openSimulated,
  payloadOf,
  SimulatedFileSystem,
  textsOf,
} from '../testing/index.js';
import type { WalOptions } from '../wal-options.js';
import { WalReader } from '../wal-reader.js';
import type { Sequence } from '../wal.types.js';
import { diagnose } from './recovery.js';
import { repair } from './repair.js';

const MANIFEST = `${LOG}/MANIFEST`;
const WATERMARK = `${LOG}/WATERMARK`;

/** A log's files, to be damaged at will. */
class Damaged {
  readonly files: Map<string, Buffer>;
  readonly directories: ReadonlySet<string>;

  constructor({ files, directories }: DiskImage) {
    this.files = new Map([...files].map(([path, content]) => [path, Buffer.from(content)]));
    this.directories = directories;
  }

  get segments(): string[] {
    return [...this.files.keys()].filter((path) => path.endsWith('.wal')).sort();
  }

  segment(at: number): string {
    return this.segments.at(at)!;
  }

  bytes(path: string): Buffer {
    return this.files.get(path)!;
  }

  header(path: string): SegmentHeader {
    const header = decodeSegmentHeader(this.bytes(path).subarray(0, HEADER_BLOCK_BYTES));
    if (!isHeader(header)) throw new Error(`${path} has no header`);
    return header;
  }

  frames(path: string): FrameHeader[] {
    const seed = frameSeed(this.header(path));
    const frames: FrameHeader[] = [];
    for (let at = SEGMENT_DATA_START; ;) {
      const frame = decodeFrameHeader(this.bytes(path), at, seed, at);
      if (frame === undefined) return frames;
      frames.push(frame);
      at = frameEnd(frame);
    }
  }

  flip(path: string, offset: number): void {
    const bytes = this.bytes(path);
    bytes[offset] = bytes[offset]! ^ 0x10;
  }

  zero(path: string, from: number, to?: number): void {
    this.bytes(path).fill(0, from, to);
  }

  cut(path: string, size: number): void {
    this.files.set(path, this.bytes(path).subarray(0, size));
  }
}

const one = (sequence: number): string => `${sequence}=${payloadOf(sequence).toString()}.`;
const upTo = (last: number): string[] => Array.from({ length: last }, (_, at) => one(at + 1));

/** A log with `frames` records in frames of their own, as a kill of its writer leaves it; without the segment prepared ahead. */
async function killedLog(frames: number, options: WalOptions = {}): Promise<Damaged> {
  const system = SimulatedFileSystem.on();
  const wal = await openSimulated(system, options);
  for (let at = 0; at < frames; at++) await wal.append(batchAfter(at, 1)).durable;
  const log = new Damaged(system.disk.image());
  system.kill();
  await wal.close();
  for (const path of log.files.keys()) if (path.endsWith('.tmp')) log.files.delete(path);
  return log;
}

/** As `killedLog`, but nothing except the frames themselves says that they were durable. */
async function unpromisedLog(frames: number, options: WalOptions = {}): Promise<Damaged> {
  const log = await killedLog(frames, options);
  log.files.delete(WATERMARK);
  return log;
}

/** A log of three segments that were closed one by one: two records in each. */
async function threeSegments(): Promise<Damaged> {
  const system = SimulatedFileSystem.on();
  for (let segment = 0; segment < 3; segment++) {
    const wal = await openSimulated(system, {}, segment + 1);
    for (const record of [0, 1]) await wal.append(batchAfter(2 * segment + record, 1)).durable;
    await wal.close();
  }
  return new Damaged(system.disk.image());
}

/** Everything but what an opener may touch: LOCK and claims. */
function image(disk: DiskImage): Record<string, string> {
  const entries = [...disk.files].filter(([path]) => !/\/(LOCK|claim-\d+)$/.test(path));
  return Object.fromEntries(entries.map(([path, content]) => [path, content.toString('base64')]));
}

/** Opens the damaged log, expects the refusal, and that it changes nothing, also a second time. */
async function expectRefusal(
  log: DiskImage,
  refusal: object,
  options: WalOptions = {},
): Promise<void> {
  const system = SimulatedFileSystem.on(log);
  const before = image(system.disk.image());
  for (let attempt = 0; attempt < 2; attempt++) {
    await expect(openSimulated(system, options)).rejects.toMatchObject(refusal);
    expect(image(system.disk.image())).toEqual(before);
    expect(system.openFileCount).toBe(0);
  }
}

interface Opened {
  readonly texts: string[];
  readonly notes: readonly { kind: string }[];
  readonly after: DiskImage;
}

/** Opens, reads everything, and opens what is left once more: which must give the same, with nothing more to repair. */
async function expectRecovery(log: DiskImage): Promise<Opened> {
  const system = SimulatedFileSystem.on(log);
  const wal = await openSimulated(system, {}, 8);
  const texts = await textsOf(wal);
  expect((await wal.verify()).problems).toEqual([]);
  await wal.close();
  const again = await openSimulated(system, {}, 9);
  expect(await textsOf(again)).toEqual(texts);
  expect(again.recovered).toEqual([]);
  await again.close();
  return { texts, notes: wal.recovered, after: system.disk.image() };
}

describe('recovery, by the cases of its table', () => {
  it('clean-end: zeros behind the last frame are a clean end', async () => {
    const log = await killedLog(3);
    expect(await expectRecovery(log)).toMatchObject({ texts: upTo(3), notes: [] });
  });

  it('clean-end: frames that nobody promised are written again before anybody sees them', async () => {
    const log = await unpromisedLog(3);
    const path = log.segment(0);
    const [, , third] = log.frames(path);
    const recovered = await expectRecovery(log);
    expect(recovered.texts).toEqual(upTo(3));
    expect(recovered.notes).toEqual([
      { kind: 'rewritten', file: path, from: third!.fileOffset, to: frameEnd(third!) },
    ]);
  });

  it('promise-gone: refuses when what was promised is gone', async () => {
    const log = await killedLog(3);
    const path = log.segment(0);
    const [, second] = log.frames(path);
    log.zero(path, second!.fileOffset);
    await expectRefusal(log, {
      code: 'WAL_LOST_TAIL',
      details: { file: path, offset: second!.fileOffset, firstSequence: 2, lastSequence: 3 },
    });
  });

  it('promise-gone: refuses when the file was cut below what was promised', async () => {
    const log = await killedLog(3);
    const path = log.segment(0);
    const [, second] = log.frames(path);
    log.cut(path, second!.fileOffset);
    await expectRefusal(log, {
      code: 'WAL_LOST_TAIL',
      details: { file: path, offset: second!.fileOffset, firstSequence: 2, lastSequence: 3 },
    });
  });

  it('cut-short: refuses when the file was cut, also where nothing says that records were promised', async () => {
    const log = await unpromisedLog(3);
    const path = log.segment(0);
    const [, second] = log.frames(path);
    for (const size of [300, second!.fileOffset, 32 * 1024 - 1]) {
      const cut = new Damaged(log);
      cut.cut(path, size);
      await expectRefusal(cut, { code: 'WAL_CORRUPT', details: { file: path } });
    }
  });

  it('promise-damaged: refuses when what was promised is there but wrong', async () => {
    const log = await killedLog(3);
    const path = log.segment(0);
    const [, , third] = log.frames(path);
    log.flip(path, third!.fileOffset + 70);
    await expectRefusal(log, {
      code: 'WAL_CORRUPT',
      details: { file: path, offset: third!.fileOffset, firstSequence: 3, lastSequence: 3 },
    });
  });

  it('promise-damaged, promise-gone: a later frame and a floor promise as the watermark does', async () => {
    const byFrame = await unpromisedLog(3);
    const path = byFrame.segment(0);
    const [, damaged, later] = byFrame.frames(path);
    expect(later!.durableSequence).toBe(2);
    byFrame.flip(path, damaged!.fileOffset + 3);
    await expectRefusal(byFrame, {
      code: 'WAL_CORRUPT',
      details: { file: path, offset: damaged!.fileOffset, firstSequence: 2, lastSequence: 2 },
    });
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    for (const at of [0, 1]) await wal.append(batchAfter(at, 1)).durable;
    wal.floors.set('consumer', wal.durableSequence);
    const byFloor = new Damaged(system.disk.image());
    byFloor.files.delete(WATERMARK);
    system.kill();
    await wal.close();
    const [, second] = byFloor.frames(byFloor.segment(0));
    byFloor.zero(byFloor.segment(0), second!.fileOffset);
    await expectRefusal(byFloor, {
      code: 'WAL_LOST_TAIL',
      details: { file: byFloor.segment(0), firstSequence: 2, lastSequence: 2 },
    });
  });

  it('torn-tail: sets a torn tail aside byte for byte, and ends before it', async () => {
    const log = await unpromisedLog(3);
    const path = log.segment(0);
    const [, , third] = log.frames(path);
    log.zero(path, third!.fileOffset + 100);
    const torn = Buffer.from(log.bytes(path).subarray(third!.fileOffset));
    const recovered = await expectRecovery(log);
    const name = `${path.slice(LOG.length + 1)}-${third!.fileOffset.toString(16).padStart(8, '0')}`;
    const copy = `${LOG}/quarantine/${name}.torn`;
    const to = third!.fileOffset + torn.findLastIndex((byte) => byte !== 0) + 1;
    expect(recovered.texts).toEqual(upTo(2));
    expect(recovered.notes).toContainEqual({
      kind: 'torn-tail',
      file: path,
      from: third!.fileOffset,
      to,
      copy,
    });
    const kept = recovered.after.files.get(copy)!;
    expect(kept.equals(torn.subarray(0, to - third!.fileOffset))).toBe(true);
  });

  it('torn-tail: syncs the name of a quarantine that an opener before it made and was killed', async () => {
    const log = await unpromisedLog(3);
    const path = log.segment(0);
    log.zero(path, log.frames(path)[2]!.fileOffset + 100);
    const directories = new Set([...log.directories, `${LOG}/quarantine`]);
    const system = SimulatedFileSystem.on({ files: log.files, directories });
    // Between the reading of the tail and its copy.
    const order: string[] = [];
    const [sync, open] = [system.syncDirectory.bind(system), system.open.bind(system)];
    system.syncDirectory = (directory) => {
      order.push(`sync ${directory}`);
      sync(directory);
    };
    system.open = (file, mode) => {
      order.push(file.includes('quarantine') ? 'copy' : 'other');
      return open(file, mode);
    };
    await (await openSimulated(system, {}, 8)).close();
    expect(order.slice(0, order.indexOf('copy')).slice(-2)).toEqual(['other', `sync ${LOG}`]);
  });

  it('torn-tail: an opener that was stopped before its copy takes nothing from the one that took over', async () => {
    const log = await unpromisedLog(3);
    const path = log.segment(0);
    log.zero(path, log.frames(path)[2]!.fileOffset + 100);
    const system = SimulatedFileSystem.on(log);
    const stopped = WriterLock.acquire(system, LOG, { takeover: false, clock: systemClock });
    const diagnosis = diagnose(system, LOG);
    const other = system.sibling();
    const open = other.open.bind(other);
    let woken: unknown;
    other.open = (file, mode) => {
      const opened = open(file, mode);
      // The other has its temporary file in its hands.
      if (file.includes('quarantine') && mode === 'create')
        try {
          repair(system, LOG, diagnosis, stopped);
        } catch (error) {
          woken = error;
        }
      return opened;
    };
    const wal = await openSimulated(other, { takeover: true }, 9);
    expect(woken).toMatchObject({ code: 'WAL_FENCED' });
    expect(wal.recovered).toContainEqual(expect.objectContaining({ kind: 'torn-tail' }));
    await wal.close();
  });

  it.each(['interval', 'none'] as const)(
    'torn-tail: several frames behind a tear are torn too where the mode is %s',
    async (durability) => {
      const log = await unpromisedLog(4, { durability, syncIntervalMillis: 60_000 });
      const path = log.segment(0);
      const [, second] = log.frames(path);
      log.flip(path, second!.fileOffset + 20);
      const { texts, notes } = await expectRecovery(log);
      expect(texts).toEqual(upTo(1));
      expect(notes).toContainEqual(
        expect.objectContaining({ kind: 'torn-tail', from: second!.fileOffset }),
      );
    },
  );

  it('frame-behind-damage: refuses damage before a valid frame where one frame is in flight at a time', async () => {
    const log = await unpromisedLog(0);
    const path = log.segment(0);
    const seed = frameSeed(log.header(path));
    const at = SEGMENT_DATA_START + 512;
    const later = new FrameEncoder(1024).finish(1 as Sequence, {
      seed,
      fileOffset: at,
      previousHeaderCrc: 0,
      durableSequence: 0,
      wallMicros: 0,
    });
    later.bytes.copy(log.bytes(path), at);
    log.flip(path, SEGMENT_DATA_START);
    await expectRefusal(log, {
      code: 'WAL_CORRUPT',
      message: expect.stringContaining(`a valid frame at ${at} follows damage`),
      details: { file: path, offset: SEGMENT_DATA_START, firstSequence: 1 },
    });
  });

  it('longer-than-a-frame: refuses more bytes behind the last frame than one frame can leave', async () => {
    const log = await unpromisedLog(1);
    const path = log.segment(0);
    const [first] = log.frames(path);
    const end = frameEnd(first!);
    log.flip(path, end);
    log.flip(path, end + 64 + 16 * 1024);
    await expectRefusal(log, {
      code: 'WAL_CORRUPT',
      details: { file: path, offset: end, firstSequence: 2 },
    });
  });

  it('sealed-damaged: refuses when a sealed segment does not end with the frame that its successor names', async () => {
    const log = await threeSegments();
    const path = log.segment(0);
    const last = log.frames(path).at(-1)!;
    log.flip(path, last.fileOffset + 12);
    await expectRefusal(log, {
      code: 'WAL_CORRUPT',
      details: { file: path, offset: last.fileOffset, firstSequence: 1, lastSequence: 2 },
    });
  });

  it('sealed-damaged: refuses when a sealed segment ends before its data', async () => {
    const log = await threeSegments();
    const path = log.segment(1);
    const size = log.header(log.segment(2)).predecessor.dataLength - 8;
    log.cut(path, size);
    await expectRefusal(log, {
      code: 'WAL_CORRUPT',
      details: { file: path, offset: size, firstSequence: 3, lastSequence: 4 },
    });
  });

  it('sealed-damaged: refuses damage within a sealed segment when it is read, and at once when asked to verify', async () => {
    const log = await threeSegments();
    const path = log.segment(0);
    const [first] = log.frames(path);
    log.flip(path, first!.fileOffset + 70);
    const refusal = {
      code: 'WAL_CORRUPT',
      details: { file: path, offset: first!.fileOffset, firstSequence: 1 },
    };
    await expectRefusal(log, refusal, { verifyOnOpen: true });
    const wal = await openSimulated(SimulatedFileSystem.on(log));
    await expect(textsOf(wal)).rejects.toMatchObject(refusal);
    expect((await wal.verify()).problems).toEqual([
      expect.objectContaining({ file: path, offset: first!.fileOffset, firstSequence: 1 }),
      expect.objectContaining({ file: path }),
      expect.objectContaining({ file: path }),
    ]);
    await wal.close();
  });

  it('header-damaged, sealed-damaged: refuses a segment of another log, and one that does not continue the one before it', async () => {
    const log = await threeSegments();
    const path = log.segment(2);
    const replaced = new Damaged(log);
    const foreign = await unpromisedLog(0, {
      randomBytes: (length) => Buffer.alloc(length, 7),
    });
    foreign.bytes(foreign.segment(0)).copy(replaced.bytes(path), 0, 0, SEGMENT_DATA_START);
    await expectRefusal(replaced, {
      code: 'WAL_CORRUPT',
      message: expect.stringContaining('belongs to another log'),
      details: { file: path, firstSequence: 5 },
    });
    const shifted = new Damaged(log);
    shifted.bytes(shifted.segment(1)).copy(shifted.bytes(path), 0, 0, SEGMENT_DATA_START);
    await expectRefusal(shifted, {
      code: 'WAL_CORRUPT',
      message: expect.stringContaining('does not agree with its name'),
      details: { file: path, firstSequence: 5 },
    });
  });

  it.each([
    [0, 1, 1],
    [1, 2, 3],
    [2, 3, 5],
  ])(
    'segment-missing: refuses when segment %d is missing, naming it',
    async (at, segment, firstSequence) => {
      const log = await threeSegments();
      const path = log.segment(at);
      log.files.delete(path);
      await expectRefusal(log, {
        code: 'WAL_MISSING_SEGMENT',
        details: { file: path, segment, firstSequence },
      });
    },
  );

  it.each([
    ['less', 1],
    ['more', 5],
  ])(
    'successor-missing: refuses when the newest segment is missing and only the footer of one with %s than a megabyte tells of it',
    async (_, frames) => {
      const system = SimulatedFileSystem.on();
      const large = { frameBytesMax: 512 * 1024, segmentBytes: 8 * 1024 * 1024 };
      let wal = await openSimulated(system, large);
      for (let at = 0; at < frames; at++) await wal.append(batchAfter(at, 1, 300 * 1024)).durable;
      await wal.close();
      const older = Buffer.from(system.disk.image().files.get(WATERMARK)!);
      wal = await openSimulated(system, large, 2);
      await wal.append(batchAfter(frames, 1)).durable;
      await wal.close();
      const log = new Damaged(system.disk.image());
      const path = log.segment(1);
      log.files.delete(path);
      for (const watermark of [older, undefined]) {
        if (watermark === undefined) log.files.delete(WATERMARK);
        else log.files.set(WATERMARK, watermark);
        const missing = { file: path, segment: 2, firstSequence: frames + 1 };
        await expectRefusal(log, { code: 'WAL_MISSING_SEGMENT', details: missing }, large);
        const reader = await WalReader.open(LOG, { fileSystem: SimulatedFileSystem.on(log) });
        expect((await reader.verify()).problems).toEqual([
          expect.objectContaining({ file: path, reason: expect.stringContaining('missing') }),
        ]);
        expect(() => reader.durableSequence).toThrow('segment 2 is missing');
        await reader.close();
      }
    },
  );

  it.each([0, 1])(
    'header-copy-damaged: repairs copy %d of a segment header from the other',
    async (copy) => {
      for (const at of [0, 1, 2]) {
        const log = await threeSegments();
        const path = log.segment(at);
        const whole = Buffer.from(log.bytes(path).subarray(0, SEGMENT_DATA_START));
        log.flip(path, copy * HEADER_BLOCK_BYTES + 70);
        const { texts, notes, after } = await expectRecovery(log);
        expect(texts).toEqual(upTo(6));
        expect(notes).toEqual([{ kind: 'header-copy-repaired', file: path }]);
        expect(after.files.get(path)!.subarray(0, SEGMENT_DATA_START).equals(whole)).toBe(true);
      }
    },
  );

  it('header-damaged: refuses when both copies are damaged and there is data', async () => {
    const log = await threeSegments();
    const path = log.segment(1);
    log.flip(path, 70);
    log.flip(path, HEADER_BLOCK_BYTES + 90);
    await expectRefusal(log, {
      code: 'WAL_CORRUPT',
      details: { file: path, offset: 0, firstSequence: 3 },
    });
  });

  it('stray: removes a segment whose creation crashed: it has its temporary name still', async () => {
    const system = SimulatedFileSystem.on(await threeSegments());
    system.faults.plan({
      operation: 'publish',
      effect: { kind: 'error', code: 'EIO' },
    });
    await expect(openSimulated(system)).rejects.toMatchObject({ code: 'EIO' });
    expect(await expectRecovery(system.disk.image())).toMatchObject({ texts: upTo(6), notes: [] });
  });

  it('header-damaged: refuses a named segment without a header, because it had one before it had its name', async () => {
    for (const size of [0, 100, SEGMENT_DATA_START, 32 * 1024]) {
      const log = await killedLog(3);
      const path = log.segment(0);
      log.files.set(path, Buffer.alloc(size));
      log.files.delete(WATERMARK);
      await expectRefusal(log, { code: 'WAL_CORRUPT', details: { file: path, firstSequence: 1 } });
    }
  });

  it('log-unfinished: goes on with a log whose making crashed before MANIFEST named a segment', async () => {
    const system = SimulatedFileSystem.on();
    const effect = { kind: 'error', code: 'EIO' } as const;
    system.faults.plan({ operation: 'rename', path: /MANIFEST$/, effect });
    // Whoever has crashed removes nothing any more.
    system.faults.plan({ operation: 'unlink', path: /MANIFEST-1\.tmp$/, effect });
    await expect(openSimulated(system)).rejects.toMatchObject({ code: 'EIO' });
    expect(system.openFileCount).toBe(0);
    const log = new Damaged(system.disk.image());
    expect(log.segments).toHaveLength(1);
    const { texts, notes } = await expectRecovery(log);
    expect([texts, notes.map((note) => note.kind)]).toEqual([[], ['removed', 'removed']]);
  });

  it.each(['MANIFEST', 'WATERMARK', 'FLOORS-1', '.wal'])(
    'read-error: refuses when a file cannot be read: %s',
    async (file) => {
      const system = SimulatedFileSystem.on();
      const wal = await openSimulated(system);
      await wal.append(batchAfter(0, 1)).durable;
      wal.floors.set('consumer', wal.durableSequence);
      await wal.close();
      const before = image(system.disk.image());
      for (const operation of ['open', 'read'] as const) {
        const restored = system.faults.plan({
          operation,
          path: new RegExp(`${file}$`),
          effect: { kind: 'error', code: 'EIO' },
        });
        await expect(openSimulated(system)).rejects.toMatchObject({
          code: 'WAL_READ_FAILED',
          details: { file: expect.stringContaining(file) },
        });
        restored();
        expect(image(system.disk.image())).toEqual(before);
      }
    },
  );

  it('format-unknown: refuses a feature that it does not know, and a format that is newer', async () => {
    for (const [offset, value] of [
      [16, 0x4],
      [12, 2],
    ] as const) {
      const log = await threeSegments();
      const path = log.segment(1);
      for (const copy of [0, HEADER_BLOCK_BYTES]) {
        const block = log.bytes(path).subarray(copy, copy + HEADER_BLOCK_BYTES);
        block.writeUInt32LE(value, offset);
        block.writeUInt32LE(crc32(block.subarray(12)), 8);
      }
      await expectRefusal(log, { code: 'WAL_UNSUPPORTED_FORMAT', details: { file: path } });
    }
  });

  it('footer-missing: makes a footer again that is missing or bad', async () => {
    const log = await threeSegments();
    const [first, second] = [log.segment(0), log.segment(1)];
    const whole = Buffer.from(log.bytes(first));
    log.cut(first, log.header(second).predecessor.dataLength);
    const { texts, after } = await expectRecovery(log);
    expect(texts).toEqual(upTo(6));
    expect(after.files.get(first)).toBeDefined();
    const bad = await threeSegments();
    bad.flip(second, bad.header(bad.segment(2)).predecessor.dataLength + 20);
    const mended = await expectRecovery(bad);
    expect(mended.texts).toEqual(upTo(6));
    expect(mended.after.files.get(first)!.equals(whole)).toBe(true);
  });

  it('stray: removes temporary files', async () => {
    const log = await threeSegments();
    for (const name of ['next-1-1.tmp', 'MANIFEST.tmp', 'FLOORS-2.tmp'])
      log.files.set(`${LOG}/${name}`, Buffer.from('half'));
    const { texts, notes, after } = await expectRecovery(log);
    expect(texts).toEqual(upTo(6));
    expect(notes.map((note) => note.kind)).toEqual(['removed', 'removed', 'removed']);
    expect([...after.files.keys()].filter((path) => path.endsWith('.tmp'))).toEqual([]);
  });

  it('left-behind: removes a segment below the first one that MANIFEST names', async () => {
    const system = SimulatedFileSystem.on(await threeSegments());
    const manifest = readManifest(system, LOG)!;
    writeManifest(system, LOG, { ...manifest, firstSegment: 2, firstSequence: 3 });
    const [leftBehind] = new Damaged(system.disk.image()).segments;
    const wal = await openSimulated(system, {}, 8);
    expect(wal.recovered).toEqual([{ kind: 'removed', file: basename(leftBehind!) }]);
    expect([wal.firstSequence, wal.lastSequence]).toEqual([3, 6]);
    expect(system.exists(leftBehind!)).toBe(false);
    await wal.close();
  });

  it.each([
    ['before this one is opened', 0],
    ['while this one takes over, before it claims', 1],
    ['while this one takes over, behind its last sync', 2],
  ])(
    'left-behind: no power cut brings back a MANIFEST that still names what was removed, where its writer was killed %s',
    async (_, syncs) => {
      const system = SimulatedFileSystem.on(await threeSegments());
      const killed = system.sibling();
      const renameAlone = (): void => {
        const manifest = readManifest(killed, LOG)!;
        const kill = (): void => killed.kill();
        const later = { ...manifest, firstSegment: 2, firstSequence: 3 };
        const write = (): void => writeManifest(killed, LOG, later, { afterRename: kill });
        expect(write).toThrow('dead process');
      };
      const from = system.disk.operations.length;
      const sync = system.syncDirectory.bind(system);
      let done = 0;
      if (syncs === 0) renameAlone();
      system.syncDirectory = (directory) => {
        sync(directory);
        if (++done === syncs) renameAlone();
      };
      await (await openSimulated(system, { takeover: true }, 8)).close();
      const replay = new DiskReplay(system.disk);
      const outcomes = new Set<unknown>();
      for (const [point, operation] of system.disk.operations.entries()) {
        replay.apply(operation);
        if (point < from) continue;
        for (const change of replay.pendingEntries) {
          const after = SimulatedFileSystem.on(replay.image(replay.pendingChanges, [change]));
          const opened = openSimulated(after, { create: false }, 9);
          outcomes.add(await opened.then((wal) => wal.lastSequence, errorCode));
        }
      }
      expect(outcomes).toEqual(new Set([6]));
    },
  );

  it('segment-too-many: refuses a second file of a segment that no compaction has made', async () => {
    const log = await threeSegments();
    const copy = log.segment(1).replace('.0.wal', '.1.wal');
    log.files.set(copy, Buffer.from(log.bytes(log.segment(1))));
    await expectRefusal(log, { code: 'WAL_CORRUPT', details: { file: copy, firstSequence: 3 } });
  });

  it('manifest-damaged: refuses when MANIFEST is missing or damaged beside segments', async () => {
    const missing = await threeSegments();
    missing.files.delete(MANIFEST);
    await expectRefusal(missing, { code: 'WAL_MANIFEST_DAMAGED', details: { file: MANIFEST } });
    for (const at of [0, 30, 60]) {
      const damaged = await threeSegments();
      damaged.flip(MANIFEST, at);
      await expectRefusal(damaged, { code: 'WAL_MANIFEST_DAMAGED', details: { file: MANIFEST } });
    }
  });
});

describe('the files of a log', () => {
  it('are named by segment and first sequence', async () => {
    const log = await threeSegments();
    const names = log.segments.map((path) => parseSegmentName(path.slice(LOG.length + 1)));
    expect(names).toEqual([
      { segment: 1, firstSequence: 1, generation: 0 },
      { segment: 2, firstSequence: 3, generation: 0 },
      { segment: 3, firstSequence: 5, generation: 0 },
    ]);
  });
});

import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Wal } from '../wal.js';
import { WalReader } from '../wal-reader.js';
import { BEFORE_FIRST, type Sequence } from '../wal.types.js';
import type { DumpedFrame } from './dump.js';

const BATCHES = 60;

describe('the frames of a log', () => {
  let directory: string;
  let reader: WalReader;

  beforeEach(async () => {
    directory = join(mkdtempSync(join(tmpdir(), 'wal-dump-')), 'log');
    const wal = await Wal.open(directory, {
      create: true,
      frameBytesMax: 16 * 1024,
      segmentBytes: 32 * 1024,
    });
    for (let batch = 0; batch < BATCHES; batch++)
      await wal.append([Buffer.from(`${batch}a`), Buffer.alloc(2_000, batch)]).durable;
    await wal.close();
    reader = await WalReader.open(directory);
  });

  afterEach(async () => {
    await reader.close();
    rmSync(join(directory, '..'), { recursive: true });
  });

  const frames = (after: number, upTo?: number): DumpedFrame[] => [
    ...reader.frames({
      after: after as Sequence,
      ...(upTo === undefined ? {} : { upTo: upTo as Sequence }),
    }),
  ];

  const readAll = async (): Promise<number> => {
    let records = 0;
    for await (const record of reader.read({ after: BEFORE_FIRST }))
      records += record.endsBatch ? 1 : 0;
    return records;
  };

  it('are given with their places and records, across segments', () => {
    const withRecords = frames(0).filter((frame) => frame.recordCount > 0);
    expect(new Set(withRecords.map((frame) => frame.file)).size).toBeGreaterThan(3);
    const records = withRecords.flatMap((frame) => frame.records);
    expect(records.map((record) => record.sequence)).toEqual(
      Array.from({ length: 2 * BATCHES }, (_, index) => index + 1),
    );
    expect(records.map((record) => record.endsBatch)).toEqual(
      records.map((_, index) => index % 2 === 1),
    );
    expect(Buffer.from(records[118]!.payload).toString()).toBe('59a');
  });

  it('are those that hold a sequence of the range', () => {
    const found = frames(50, 60).filter((frame) => frame.recordCount > 0);
    expect([found[0]!.firstSequence, found.at(-1)!.lastSequence]).toEqual([51, 60]);
    expect(frames(2 * BATCHES)).toEqual([]);
  });

  it('end at damage, which is named, after everything before it was given', () => {
    const damaged = frames(70).find((frame) => frame.recordCount > 0)!;
    flipBit(damaged.file, damaged.offset + 100);
    const seen: number[] = [];
    const read = (): void => {
      for (const frame of reader.frames({ after: 60 as Sequence })) seen.push(frame.lastSequence);
    };
    expect(read).toThrow(
      expect.objectContaining({
        code: 'WAL_CORRUPT',
        details: {
          file: damaged.file,
          offset: damaged.offset,
          firstSequence: damaged.firstSequence,
        },
      }),
    );
    expect(seen.at(-1)).toBe(damaged.firstSequence - 1);
  });

  it('are not passed over where a segment is missing, and verifying says so', async () => {
    const second = reader.segments()[1]!;
    await reader.close();
    rmSync(second.path);
    reader = await WalReader.open(directory);
    expect(() => frames(0)).toThrow(expect.objectContaining({ code: 'WAL_MISSING_SEGMENT' }));
    await expect(readAll()).rejects.toMatchObject({
      code: 'WAL_MISSING_SEGMENT',
      details: { segment: 2, firstSequence: expect.any(Number) },
    });
    const report = await reader.verify();
    expect(report.problems.map((problem) => problem.firstSequence)).toEqual([
      second.name.firstSequence,
    ]);
    expect(report.problems[0]!.reason).toMatch(/segment 2 is missing/);
  });

  it('are all read before anything is changed, when an open is to verify', async () => {
    const damaged = frames(10).find((frame) => frame.recordCount > 0)!;
    flipBit(damaged.file, damaged.offset + 100);
    const before = readdirSync(directory).filter((name) => name.endsWith('.wal'));
    await expect(Wal.open(directory, { verifyOnOpen: true })).rejects.toMatchObject({
      code: 'WAL_CORRUPT',
      details: {
        file: damaged.file,
        offset: damaged.offset,
        firstSequence: damaged.firstSequence,
      },
    });
    expect(readdirSync(directory).filter((name) => name.endsWith('.wal'))).toEqual(before);
  });

  it('are not passed over where the first or the last segment is missing', async () => {
    const [first, last] = [reader.segments()[0]!, reader.segments().at(-1)!];
    await reader.close();
    rmSync(first.path);
    rmSync(last.path);
    reader = await WalReader.open(directory);
    const report = await reader.verify();
    expect(report.problems.map((problem) => problem.reason)).toEqual([
      expect.stringMatching(/segment 1 is missing/),
      expect.stringMatching(new RegExp(`segment ${last.name.segment} is missing`)),
    ]);
  });
});

function flipBit(path: string, offset: number): void {
  const file = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, offset);
  writeSync(file, Buffer.from([byte[0]! ^ 4]), 0, 1, offset);
  closeSync(file);
}

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Wal } from './wal.js';
import { WalReader } from './wal-reader.js';
import { BEFORE_FIRST, type LogSource, type Sequence, type WalRecord } from './wal.types.js';

const SMALL = { create: true, frameBytesMax: 16 * 1024, segmentBytes: 32 * 1024 } as const;

const bytes = (text: string): Buffer => Buffer.from(text);

async function all(source: LogSource, after: Sequence = BEFORE_FIRST): Promise<string[]> {
  const texts: string[] = [];
  for await (const record of source.read({ after })) texts.push(text(record));
  return texts;
}

function text(record: WalRecord): string {
  return `${record.sequence}:${Buffer.from(record.payload).toString()}${record.endsBatch ? '.' : ''}`;
}

describe('the log', () => {
  let directory: string;
  const open: { close(): Promise<void> }[] = [];

  const openWal = async (options = {}): Promise<Wal> => {
    const wal = await Wal.open(directory, { ...SMALL, ...options });
    open.push(wal);
    return wal;
  };

  beforeEach(() => {
    directory = join(mkdtempSync(join(tmpdir(), 'wal-')), 'log');
  });

  afterEach(async () => {
    await Promise.all(open.splice(0).map((opened) => opened.close()));
    rmSync(join(directory, '..'), { recursive: true });
  });

  it('gives sequences without a gap at once and acknowledges when they are durable', async () => {
    const wal = await openWal();
    const one = wal.append([bytes('a'), bytes('b')]);
    const two = wal.append([bytes('c')]);
    expect([one.first, one.last, two.first, two.last]).toEqual([1, 2, 3, 3]);
    expect([wal.lastSequence, wal.durableSequence]).toEqual([3, 0]);
    await two.durable;
    expect(wal.durableSequence).toBe(3);
    expect(await all(wal)).toEqual(['1:a', '2:b.', '3:c.']);
  });

  it('is there again after closing and opening', async () => {
    const first = await openWal();
    first.append([bytes('a')]);
    await first.close();
    const second = await openWal();
    expect(second.recovered).toEqual([]);
    await second.append([bytes('b')]).durable;
    expect(await all(second)).toEqual(['1:a.', '2:b.']);
    expect(second.logId).toBe(first.logId);
    expect(second.timelineAt(1 as Sequence)).not.toBe(second.timelineAt(2 as Sequence));
    await second.close();
    // A third, which writes nothing, and a fourth.
    await (await openWal()).close();
    const fourth = await openWal();
    const timelines = [
      [fourth.timeline, 3],
      [fourth.timelineAt(2 as Sequence), 2],
      [fourth.timelineAt(1 as Sequence), 1],
    ].map(([timeline, firstSequence]) => ({ timeline, firstSequence }));
    expect(fourth.timelines(3)).toEqual(timelines);
    expect(fourth.timelines(2)).toEqual(timelines.slice(0, 2));
  });

  it('rotates through segments, finishes them, and reads across', async () => {
    const wal = await openWal();
    const expected: string[] = [];
    for (let at = 1; at <= 200; at++) {
      const payload = `${at}-`.repeat(200);
      expected.push(`${at}:${payload}.`);
      const { durable } = wal.append([bytes(payload)]);
      if (at % 7 === 0) await durable;
    }
    await wal.flush();
    expect(wal.stats().rotations).toBeGreaterThan(3);
    expect(await all(wal)).toEqual(expected);
    expect(text(wal.recordAt(100 as Sequence)!)).toBe(expected[99]);
    expect((await wal.verify()).problems).toEqual([]);
    const reader = await WalReader.open(directory);
    open.push(reader);
    expect(await all(reader)).toEqual(expected);
    expect(text(reader.recordAt(3 as Sequence)!)).toBe(expected[2]);
    await wal.close();
    expect(readdirSync(directory).filter((file) => file.endsWith('.tmp'))).toEqual([]);
    const again = await openWal();
    expect(await all(again, 150 as Sequence)).toEqual(expected.slice(150));
    expect((await again.verify()).problems).toEqual([]);
  });

  it('is followed from another process as it grows, and never past what is durable', async () => {
    const wal = await openWal();
    const reader = await WalReader.open(directory);
    open.push(reader);
    const stop = new AbortController();
    const seen: number[] = [];
    const following = (async () => {
      for await (const record of reader.follow({ after: BEFORE_FIRST, signal: stop.signal })) {
        expect(record.sequence).toBeLessThanOrEqual(wal.durableSequence);
        seen.push(record.sequence);
        if (record.sequence === 300) stop.abort();
      }
    })();
    for (let at = 1; at <= 300; at++) {
      const { durable } = wal.append([bytes('x'.repeat(at % 50 === 0 ? 9000 : 100))]);
      if (at % 10 === 0) await durable;
    }
    await wal.flush();
    await following;
    expect(seen).toEqual(Array.from({ length: 300 }, (_, at) => at + 1));
  });
});

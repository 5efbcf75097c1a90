import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  batchAfter,
  openSimulated,
  payloadOf,
  SimulatedFileSystem,
  textsOf,
} from '../testing/index.js';
import type { Wal } from '../wal.js';
import { BEFORE_FIRST, type Sequence } from '../wal.types.js';

const RECORDS = 120;
const at = (sequence: number): Sequence => sequence as Sequence;
const numbers = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

/** A log of several segments, some of them of an earlier open. */
describe('reading', () => {
  let system: SimulatedFileSystem;
  let wal: Wal;

  beforeEach(async () => {
    system = SimulatedFileSystem.on();
    const earlier = await openSimulated(system, {}, 1);
    for (let last = 0; last < RECORDS / 2; last += 2)
      await earlier.append(batchAfter(last, 2, 900)).durable;
    await earlier.close();
    wal = await openSimulated(system, {}, 2);
    for (let last = RECORDS / 2; last < RECORDS; last += 2)
      await wal.append(batchAfter(last, 2, 900)).durable;
    expect(wal.stats().segments).toBeGreaterThan(4);
  });

  afterEach(() => wal.close());

  it('gives every record from any place to any other, across segments and openings', async () => {
    for (const [after, upTo] of [
      [0, RECORDS],
      [1, 2],
      [59, 61],
      [RECORDS - 1, RECORDS],
      [RECORDS, RECORDS],
      [7, RECORDS + 50],
    ] as const) {
      const seen: number[] = [];
      for await (const record of wal.read({ after: at(after), upTo: at(upTo) })) {
        expect(payloadOf(record.sequence, 900).equals(record.payload)).toBe(true);
        expect(record.endsBatch).toBe(record.sequence % 2 === 0);
        seen.push(record.sequence);
      }
      expect(seen).toEqual(numbers(after + 1, Math.min(upTo, RECORDS)));
    }
  });

  it('gives views that stay valid', async () => {
    const kept: Uint8Array[] = [];
    for await (const { payload } of wal.read({ after: BEFORE_FIRST })) kept.push(payload);
    kept.forEach((payload, index) => expect(payloadOf(index + 1, 900).equals(payload)).toBe(true));
  });

  it('finds single records anywhere, and none that is not visible', () => {
    for (const sequence of [1, 2, 60, 61, 33, RECORDS, 5, 119])
      expect(payloadOf(sequence, 900).equals(wal.recordAt(at(sequence))!.payload)).toBe(true);
    wal.append(batchAfter(RECORDS, 1));
    for (const sequence of [0, RECORDS + 1, RECORDS + 2])
      expect(wal.recordAt(at(sequence))).toBeUndefined();
  });

  it('scans from a place on, until the visitor or the bound says stop', async () => {
    const seen: number[] = [];
    const last = await wal.scan(at(10), (sequence, buffer, start, end) => {
      expect(payloadOf(sequence, 900).equals(buffer.subarray(start, end))).toBe(true);
      seen.push(sequence);
      return sequence < 70;
    });
    expect([last, seen]).toEqual([70, numbers(11, 70)]);
    let visited = 0;
    expect(
      await wal.scan(
        BEFORE_FIRST,
        () => {
          visited++;
        },
        at(31),
      ),
    ).toBe(31);
    expect(visited).toBe(31);
    expect(await wal.scan(at(RECORDS), () => expect(true).toBe(false))).toBe(RECORDS);
  });

  it('reads on while the log rotates below it', async () => {
    const seen: number[] = [];
    for await (const { sequence } of wal.read({ after: at(100) })) {
      seen.push(sequence);
      await wal.append(batchAfter(wal.lastSequence, 2, 900)).durable;
    }
    expect(seen).toEqual(numbers(101, RECORDS));
    expect(await textsOf(wal)).toHaveLength(wal.durableSequence);
  });

  it('follows what comes, never past what is durable, until told to stop', async () => {
    const stop = new AbortController();
    const seen: number[] = [];
    const following = (async () => {
      for await (const { sequence } of wal.follow({ after: at(110), signal: stop.signal })) {
        expect(sequence).toBeLessThanOrEqual(wal.durableSequence);
        seen.push(sequence);
        if (sequence === 180) stop.abort();
      }
    })();
    for (let last = RECORDS; last < 200; last += 2)
      await wal.append(batchAfter(last, 2, 900)).durable;
    await following;
    expect(seen).toEqual(numbers(111, 180));
  });

  it('waits for what is beyond a place, and not once it is told to stop', async () => {
    await wal.waitBeyond(at(RECORDS - 1));
    const stop = new AbortController();
    const waiting = [
      wal.waitBeyond(at(RECORDS)),
      wal.waitBeyond(at(RECORDS + 1)),
      wal.waitBeyond(at(RECORDS + 1), stop.signal),
    ];
    await wal.append(batchAfter(RECORDS, 1)).durable;
    await waiting[0];
    stop.abort();
    await waiting[2];
    await wal.append(batchAfter(RECORDS + 1, 1)).durable;
    await waiting[1];
    await wal.waitBeyond(at(RECORDS + 100), stop.signal);
  });

  it('ends with WAL_CLOSED when the log closes', async () => {
    const following = (async () => {
      for await (const record of wal.follow({ after: at(RECORDS) })) expect(record).toBeUndefined();
    })();
    const waiting = wal.waitBeyond(at(RECORDS));
    const ended = Promise.allSettled([following, waiting]);
    await wal.close();
    const closed = { status: 'rejected', reason: expect.objectContaining({ code: 'WAL_CLOSED' }) };
    expect(await ended).toEqual([closed, closed]);
    await expect(wal.waitBeyond(at(RECORDS))).rejects.toMatchObject({ code: 'WAL_CLOSED' });
  });
});

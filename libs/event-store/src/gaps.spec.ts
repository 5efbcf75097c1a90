import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { LogSource, ScanVisitor, Sequence } from '@holdfast/wal';
import { DurableEvents } from './durable-events.js';
import { BEFORE_FIRST_POSITION, type Position, type RecordedEvent } from './event.js';
import { FoldedState } from './folded-state.js';
import { InMemoryStateStore } from './in-memory-state-store.js';
import { IndexedEvents } from './indexed-events.js';
import { replay } from './replay.js';
import {
  collected,
  oneAppend,
  position,
  positionsOf,
  sampleEvent,
  version,
} from './testing/sample-events.js';
import { WalEventLog } from './wal-event-log.js';

const WAL = { create: true, frameBytesMax: 1024 * 1024, segmentBytes: 2 * 1024 * 1024 };

describe('a log that compaction has taken events from', () => {
  let directory: string;
  let log: WalEventLog;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'event-gaps-'));
    log = await WalEventLog.open(join(directory, 'log'), { wal: WAL });
    // Positions 1 to 12: a and b take turns.
    for (let number = 1; number <= 6; number++)
      for (const stream of ['a', 'b'])
        await log.append(oneAppend(stream, [sampleEvent(number, { tags: ['t'] })])).durable;
  });

  afterEach(async () => {
    await log.close();
    rmSync(directory, { recursive: true });
  });

  /** The same log without these positions. */
  function without(...dropped: readonly number[]): LogSource {
    return {
      logId: log.wal.logId,
      durableSequence: log.wal.durableSequence,
      firstSequence: log.wal.firstSequence,
      recordAt: (sequence) => (dropped.includes(sequence) ? undefined : log.wal.recordAt(sequence)),
      read: (range) => log.wal.read(range),
      follow: (options) => log.wal.follow(options),
      waitBeyond: (after, signal) => log.wal.waitBeyond(after, signal),
      newestTimeline: 'a'.repeat(16),
      timelineAt: (sequence) => log.wal.timelineAt(sequence),
      scan: (after: Sequence, visitor: ScanVisitor, upTo?: Sequence) =>
        log.wal.scan(
          after,
          (sequence, ...rest) => dropped.includes(sequence) || visitor(sequence, ...rest) !== false,
          upTo,
        ),
    };
  }

  async function replayed(
    source: LogSource,
    after = 0,
    folded = foldedState(),
  ): Promise<FoldedState> {
    await replay(source, folded, { after: after as Position });
    return folded;
  }

  function foldedState(): FoldedState {
    const folded = new FoldedState(new InMemoryStateStore(), undefined, undefined);
    folded.startAt(BEFORE_FIRST_POSITION, 0);
    return folded;
  }

  const readerOf = (source: LogSource, { index }: FoldedState): IndexedEvents =>
    new IndexedEvents(new DurableEvents(source, undefined), index);
  const versionsOf = (events: readonly RecordedEvent[]): number[] =>
    events.map((event) => event.version);

  it('is replayed with the versions that its events have, and read without those that went', async () => {
    // Versions 2, 3 and 5 of a.
    const source = without(3, 5, 9);
    const folded = await replayed(source);
    expect([folded.index.version('a'), folded.index.version('b')]).toEqual([6, 6]);
    const events = readerOf(source, folded);
    expect(versionsOf(await collected(events.stream('a', {})))).toEqual([1, 4, 6]);
    expect(versionsOf(await collected(events.stream('a', { direction: 'backward' })))).toEqual([
      6, 4, 1,
    ]);
    expect(versionsOf(await collected(events.stream('a', { from: version(3) })))).toEqual([4, 6]);
    expect(versionsOf(await collected(events.stream('b', {})))).toEqual([1, 2, 3, 4, 5, 6]);
    expect(positionsOf(await collected(events.tag('t', {})))).toEqual([
      1, 2, 4, 6, 7, 8, 10, 11, 12,
    ]);
  });

  it('is read alike by who indexed it before', async () => {
    const folded = await replayed(log.wal);
    const events = readerOf(without(3, 5, 9), folded);
    expect(versionsOf(await collected(events.stream('a', {})))).toEqual([1, 4, 6]);
    expect(positionsOf(await collected(events.tag('t', { direction: 'backward' })))).toEqual([
      12, 11, 10, 8, 7, 6, 4, 2, 1,
    ]);
  });

  it('may be replayed in parts, the events lost in one and missed in the next', async () => {
    const source = without(3, 5);
    const folded = foldedState();
    await replay(source, folded, { after: BEFORE_FIRST_POSITION, upTo: 6 as Position });
    await replayed(source, 6, folded);
    expect(folded.index.version('a')).toBe(6);
  });

  it('is read backward to its end, also when its first events are those that went', async () => {
    const events = new DurableEvents(without(1, 2, 3, 4, 9), undefined);
    const batches = await collected(events.readAll({ direction: 'backward', batchEvents: 2 }));
    expect(batches.map((batch) => positionsOf(batch.events))).toEqual([
      [12, 11],
      [10, 8],
      [7, 6],
      [5],
    ]);
    const none = new DurableEvents(
      without(...Array.from({ length: 12 }, (_, at) => at + 1)),
      undefined,
    );
    expect(await collected(none.readAll({ direction: 'backward' }))).toEqual([]);
  });

  it('is refused where more versions are missing than events were dropped', async () => {
    const hidden = without(3, 5);
    const shifted: LogSource = {
      ...hidden,
      scan: (after, visitor, upTo) => {
        let last = 0;
        return hidden.scan(after, (_, ...rest) => visitor((last += 1) as Sequence, ...rest), upTo);
      },
    };
    await expect(replayed(shifted)).rejects.toMatchObject({ code: 'EVENT_CORRUPT' });
  });

  it('has as the newest of a tag what is left, for who has seen more and for who has not', async () => {
    const source = without(11, 12);
    const eventAt = (position: Position) => new DurableEvents(source, undefined).eventAt(position);
    for (const folded of [await replayed(log.wal), await replayed(source)]) {
      const reader = readerOf(source, folded);
      expect(reader.lastTagged('t', eventAt)).toEqual({
        position: 10,
        event: eventAt(position(10)),
      });
    }
  });

  it('says of the newest of a tag that it was removed with everything before it', async () => {
    const folded = await replayed(log.wal);
    const source: LogSource = {
      ...without(...Array(12).keys(), 12),
      firstSequence: 13 as Sequence,
    };
    const reader = readerOf(source, folded);
    const gone = { position: 12, event: undefined };
    expect(reader.lastTagged('t', () => undefined)).toEqual(gone);
    expect(reader.lastTagged('of none', () => undefined)).toBeUndefined();
  });

  it('says so when what the index names was removed with everything before it', async () => {
    const folded = await replayed(log.wal);
    const source: LogSource = { ...without(), firstSequence: 4 as Sequence };
    const events = readerOf(source, folded);
    for (const reading of [events.stream('a', {}), events.tag('t', {})])
      await expect(collected(reading)).rejects.toMatchObject({
        code: 'EVENT_POSITION_GONE',
        details: { position: 1, firstPosition: 4 },
      });
    expect(versionsOf(await collected(events.stream('a', { from: version(3) })))).toEqual([
      3, 4, 5, 6,
    ]);
  });
});

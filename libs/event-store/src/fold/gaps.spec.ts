import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { LogSource, ScanVisitor, Sequence } from '@holdfast/wal';
import { DurableEvents } from '../log/durable-events.js';
import { BEFORE_FIRST_POSITION, type Position, type RecordedEvent } from '../event.js';
import { FoldedState } from './folded-state.js';
import { InMemoryStateStore } from '../state/store/in-memory-state-store.js';
import { IndexedEvents } from '../index/indexed-events.js';
import { replay } from './replay.js';
import {
  allEvents,
  collected,
  oneAppend,
  position,
  positionsOf,
  sampleEvent,
  version,
} from '../testing/sample-events.js';
import { WalEventLog } from '../wal-event-log.js';

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
        await log.appendDurably(oneAppend(stream, [sampleEvent(number, { tags: ['t'] })]));
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
      recordAtOrAbove: (sequence) => {
        let at: number = sequence;
        while (dropped.includes(at)) at += 1;
        return log.wal.recordAtOrAbove(at as Sequence);
      },
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

  it('counts the positions that are missing at its end alike, whether it is gone on with or replayed', async () => {
    const folded = await replayed(without(11, 12));
    const { events } = log.append(oneAppend('c', [sampleEvent(1)]));
    await log.whenDurable(events[0]!.position);
    folded.add(events);
    const whole = await replayed(without(11, 12));
    const dropped = [folded, whole].map(({ state }) => state.section('log/dropped').get('events'));
    expect(dropped).toEqual([2, 2]);
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

  it('delivers as many as the limit says, however many compaction has taken', async () => {
    const source = without(1, 3, 5, 9);
    const events = readerOf(source, await replayed(log.wal));
    const limited = (direction: 'forward' | 'backward', limit: number) =>
      Promise.all([
        collected(events.stream('a', { direction, limit })).then(versionsOf),
        collected(events.tag('t', { direction, limit })).then(positionsOf),
      ]);
    expect(await limited('forward', 1)).toEqual([[4], [2]]);
    expect(await limited('forward', 2)).toEqual([
      [4, 6],
      [2, 4],
    ]);
    expect(await limited('backward', 3)).toEqual([
      [6, 4],
      [12, 11, 10],
    ]);
    expect(await limited('forward', 0)).toEqual([[], []]);
    // Known from the replay of what is left, one version stands for those before it.
    const alone = readerOf(source, await replayed(source));
    expect(versionsOf(await collected(alone.stream('a', { limit: 1 })))).toEqual([4]);
  });

  it('delivers what is still there of a list that is read backward, and then says so', async () => {
    const source: LogSource = { ...without(), firstSequence: 4 as Sequence };
    const events = readerOf(source, await replayed(log.wal));
    const seen: number[] = [];
    const reading = async (): Promise<void> => {
      for await (const { version } of events.stream('a', { direction: 'backward' }))
        seen.push(version);
    };
    await expect(reading()).rejects.toMatchObject({
      code: 'EVENT_POSITION_GONE',
      details: { position: 3, firstPosition: 4 },
    });
    expect(seen).toEqual([6, 5, 4, 3]);
  });

  describe('while retention overtakes its reader', () => {
    let first: number;
    let source: LogSource;

    beforeEach(() => {
      first = 1;
      const whole = without();
      source = Object.defineProperty(
        {
          ...whole,
          recordAt: (sequence: Sequence) =>
            sequence < first ? undefined : whole.recordAt(sequence),
          scan: (after: Sequence, ...given: [ScanVisitor, Sequence?]) =>
            after + 1 < first
              ? Promise.reject(Object.assign(new Error('gone'), { code: 'WAL_SEQUENCE_GONE' }))
              : whole.scan(after, ...given),
        },
        'firstSequence',
        { get: () => first },
      );
    });

    const gone = (position: number) => ({
      code: 'EVENT_POSITION_GONE',
      details: { position, firstPosition: first },
    });

    it.each(['stream', 'tag'] as const)(
      'is told so by a %s of which the next was removed, and never of an end',
      async (kind) => {
        // Single reads: the bytes of a scan hold one event.
        const events = readerOf(source, await replayed(log.wal));
        const reader = events[kind](kind === 'stream' ? 'a' : 't', { limit: 1 });
        expect(await collected(reader)).toHaveLength(1);
        const lagging = new DurableEvents(source, undefined);
        lagging.eventsAt = () => Promise.resolve(new Map<Position, RecordedEvent>());
        const { index } = await replayed(log.wal);
        const reading = new IndexedEvents(lagging, index)[kind](kind === 'stream' ? 'a' : 't', {});
        await reading.next();
        first = 8;
        await expect(reading.next()).rejects.toMatchObject(gone(kind === 'stream' ? 3 : 2));
      },
    );

    it('is told so by everything, in both directions', async () => {
      const events = new DurableEvents(source, undefined);
      const forward = events.readAll({ batchEvents: 2 })[Symbol.asyncIterator]();
      const backward = events.readAll({ direction: 'backward', batchEvents: 2 });
      await forward.next();
      await backward.next();
      first = 8;
      await expect(forward.next()).rejects.toMatchObject(gone(3));
      await expect(collected(backward)).resolves.toHaveLength(5);
    });

    it('begins with the first event that is there where that has moved since it was asked', async () => {
      const moving = Object.create(source, {
        scan: {
          value: (...asked: Parameters<LogSource['scan']>) => {
            first = 8;
            return source.scan(...asked);
          },
        },
      }) as LogSource;
      const found = await allEvents(new DurableEvents(moving, undefined));
      expect(positionsOf(found)).toEqual([8, 9, 10, 11, 12]);
    });

    it('is told so by a subscription that began before the first event and has not seen it', async () => {
      const empty = { durable: 0 };
      const late: LogSource = Object.defineProperties(
        { ...source },
        {
          firstSequence: { get: () => first },
          durableSequence: { get: () => empty.durable },
          waitBeyond: {
            value: () => {
              empty.durable = 12;
              first = 5;
              return Promise.resolve();
            },
          },
        },
      );
      const events = new DurableEvents(late, undefined);
      const { signal } = new AbortController();
      const reading = events.subscribe({ after: BEFORE_FIRST_POSITION, signal });
      await expect(reading.next()).rejects.toMatchObject({ code: 'EVENT_POSITION_GONE' });
    });
  });
});

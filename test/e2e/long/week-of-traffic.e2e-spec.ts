import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Position } from '@holdfast/event-store';
import { LEDGER_OPERATIONS, LedgerWriter } from '@holdfast/ledger-service';
import { LogOperations, verifyDerivedState } from '@holdfast/operations';
import { createLogger } from '@holdfast/platform';
import { FeedConsumers } from '@holdfast/projections';
import { ArchiveDirectory, type ArchiveStore } from '@holdfast/wal/maintenance';
import { SeededRandom } from '../../support/seeded-random.js';

const HOUR_MILLIS = 3_600_000;
const HOURS = 7 * 24;
const LIVE_HOURS = 24;
const TRANSFERS_AN_HOUR = 80;
const AT_ONCE = 20;
const SEGMENT_BYTES = 32 * 1024;
/** An hour without traffic at night, and the worker away for one day of the week. */
const QUIET_HOUR = 3;
const AWAY_FROM = 3 * 24;
const AWAY_TO = 4 * 24;

/**
 * A week in which the policy is applied each hour, on a clock that the test moves: what counts is how much traffic falls into how much time, so small segments
 * and a small ledger show the same as large ones.
 */
describe('a week of traffic under the policy archive', () => {
  const random = SeededRandom.announced('week');
  const clock = { nowMillis: () => now, monotonicMillis: () => now };
  const consumers = new FeedConsumers({ clock });
  const logger = createLogger({ service: 'test', level: 'silent' });
  const context = { signal: new AbortController().signal, progress: () => undefined };
  let now = Date.UTC(2026, 0, 5);
  let directory: string;
  let archive: ArchiveStore;
  let writer: LedgerWriter;
  let operations: LogOperations;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'holdfast-week-'));
    archive = ArchiveDirectory.open(join(directory, 'archive'), { create: true });
    writer = await open();
    operations = new LogOperations({
      ...{ log: writer.log, consumers, logger, clock },
      floors: { behindEventsMax: 0, behindBytesMax: 0 },
      retention: {
        policy: 'archive',
        ...{ livePositionsMin: 0, liveMinutesMin: LIVE_HOURS * 60, intervalSeconds: 86_400 },
      },
    });
    await openBooks();
  });

  afterAll(async () => {
    await operations.stop();
    await writer.close();
    await archive.close();
    rmSync(directory, { recursive: true });
  });

  function open(): Promise<LedgerWriter> {
    return LedgerWriter.open(join(directory, 'wal'), {
      wal: {
        ...{ create: true, segmentBytes: SEGMENT_BYTES, frameBytesMax: 16 * 1024 },
        ...{ queuedBytesMax: 1024 * 1024, archive },
      },
      state: {
        directory: join(directory, 'state'),
        snapshotDirectory: join(directory, 'snapshots'),
      },
      clock,
    });
  }

  async function openBooks(): Promise<void> {
    const by = (key: string) => ({ actor: 'test', idempotency: { key, bodyHash: key } });
    await writer.execute({ type: 'OpenLedger', ledger: 'main' }, { actor: 'test' });
    const asset = { type: 'RegisterAsset', ledger: 'main', asset: 'EUR', scale: 2 } as const;
    await writer.execute(asset, { actor: 'test' });
    for (const accountId of ['world', 'alice'])
      await writer.execute(
        {
          ...{ type: 'OpenAccount', ledger: 'main', accountId, asset: 'EUR' },
          ...{ normalSide: 'credit', floor: null },
        },
        by(accountId),
      );
  }

  async function transfer(count: number): Promise<void> {
    const pending = Array.from({ length: count }, () => {
      const amount = String(random.between(1, 1_000));
      const key = `transfer-${writer.log.lastPosition}`;
      return writer.execute(
        {
          type: 'PostTransfer',
          ledger: 'main',
          legs: [
            { accountId: 'world', side: 'debit', amount },
            { accountId: 'alice', side: 'credit', amount },
          ],
        },
        { actor: 'test', idempotency: { key, bodyHash: key } },
      );
    });
    await Promise.all(pending);
  }

  /** What a worker that is up with the log reports. */
  function report(position: Position): void {
    const { log } = writer;
    const cursor = { logId: log.logId, position, timeline: log.timelineAt(position) ?? '' };
    consumers.report({
      ...{ consumer: 'ledger', reporter: 'worker', ended: false },
      ...{ applied: cursor, durable: cursor },
    });
    operations.floors.move();
  }

  const liveFileBytes = (): number => {
    const wal = join(directory, 'wal');
    return readdirSync(wal)
      .filter((name) => name.endsWith('.wal'))
      .reduce((sum, name) => sum + statSync(join(wal, name)).size, 0);
  };

  it('holds what is live within what the policy keeps, pinned by nobody for longer than he is away', async () => {
    /** Where the log ended at each hour. */
    const endAt: number[] = [];
    const bytesAt: number[] = [];
    let highest = 0;
    for (let hour = 0; hour < HOURS; hour += 1) {
      // Few at once, because so small a segment has room for few.
      if (hour % 24 !== QUIET_HOUR)
        for (let sent = 0; sent < TRANSFERS_AN_HOUR; sent += AT_ONCE) await transfer(AT_ONCE);
      endAt.push(writer.log.durablePosition);
      bytesAt.push(writer.log.stats().logBytes);
      now += HOUR_MILLIS;
      const away = hour >= AWAY_FROM && hour < AWAY_TO;
      if (!away) report(writer.log.durablePosition);
      if (hour % 12 === 0) await writer.log.checkpoint();
      await operations.retention.apply(context);

      // Ages count from the last event, and not from a clock that the log does not follow: an idle log lets go of nothing more.
      const lastHour = hour % 24 === QUIET_HOUR ? hour - 1 : hour;
      const keptFrom = Math.max(
        0,
        Math.min(lastHour - LIVE_HOURS - 1, away ? AWAY_FROM - 1 : hour),
      );
      const wanted = bytesAt[hour]! - (bytesAt[keptFrom] ?? 0);
      // Whole segments go: the one that the bound falls into, the growing one, and the one that the archive's floor stands in.
      const bound = wanted + 4 * SEGMENT_BYTES;
      expect({ hour, withinBound: liveFileBytes() <= bound }).toEqual({ hour, withinBound: true });
      highest = Math.max(highest, liveFileBytes());
    }
    const { logBytes, archivedSegments, archiveBytes } = writer.log.stats();
    process.stdout.write(
      `a week: ${writer.log.lastPosition} events, ${logBytes} bytes of log, at most ${highest} of them live; ${archivedSegments} segments archived in ${archiveBytes} bytes\n`,
    );
    // Otherwise nothing of what is claimed was put to the test.
    expect(logBytes).toBeGreaterThan(2 * highest);
    expect(archivedSegments).toBeGreaterThan(50);
  }, 240_000);

  it('has every event of the week still, and a state that is what they make', async () => {
    let [events, last] = [0, 0];
    for await (const batch of writer.log.readAll())
      for (const { position } of batch.events) {
        expect(position).toBe(last + 1);
        last = position;
        events += 1;
      }
    expect(events).toBe(writer.log.durablePosition);
    await writer.log.checkpoint();
    const proof = await verifyDerivedState(
      {
        ...{ records: writer.log.wal, events: writer.log, service: LEDGER_OPERATIONS },
        stateDirectory: join(directory, 'state'),
        snapshotDirectory: join(directory, 'snapshots'),
        readModelDirectory: join(directory, 'none'),
      },
      context,
    );
    expect(proof).toMatchObject({ sound: true, state: { replayed: { events, from: 0 } } });
  }, 120_000);
});

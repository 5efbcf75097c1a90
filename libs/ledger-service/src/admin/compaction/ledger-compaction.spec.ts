import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LedgerWriter } from '../../write-side/ledger-writer.js';
import { verifyLedgerState } from '../state/verify-ledger-state.js';
import { compactLedger, planCompaction } from './ledger-compaction.js';

const DAY_MILLIS = 86_400_000;
const REFUSALS = 200;
const SMALL = {
  ...{ create: true, segmentBytes: 32 * 1024, frameBytesMax: 16 * 1024 },
} as const;

describe('compaction of a ledger', () => {
  const context = { signal: new AbortController().signal, progress: () => undefined };
  let now: number;
  let directory: string;
  let writer: LedgerWriter;

  beforeEach(async () => {
    now = Date.UTC(2026, 0, 1);
    directory = await mkdtemp(join(tmpdir(), 'holdfast-compaction-'));
    writer = await open();
    await writer.execute({ type: 'OpenLedger', ledger: 'main' }, { actor: 'test' });
    // Every second command is refused: there is no such account.
    for (let number = 0; number < REFUSALS; number += 1) {
      await writer.execute({ type: 'OpenLedger', ledger: `l-${number}` }, { actor: 'test' });
      await refused(`key-${number}`);
    }
  });
  afterEach(async () => {
    await writer.close();
    await rm(directory, { recursive: true });
  });

  const open = (): Promise<LedgerWriter> =>
    LedgerWriter.open(join(directory, 'wal'), {
      wal: SMALL,
      state: {
        directory: join(directory, 'state'),
        snapshotDirectory: join(directory, 'snapshots'),
      },
      clock: { nowMillis: () => now },
    });

  const refused = (key: string) =>
    writer.execute(
      {
        type: 'SetAccountStatus',
        ledger: 'main',
        accountId: 'nobody',
        status: 'frozen',
        expectedVersion: 1,
      },
      { actor: 'test', idempotency: { key, bodyHash: key } },
    );

  async function types(): Promise<Record<string, number>> {
    const counted: Record<string, number> = {};
    for await (const { events } of writer.log.readAll())
      for (const { type } of events) counted[type] = (counted[type] ?? 0) + 1;
    return counted;
  }

  /** Two snapshots of everything so far, and segments behind them. */
  async function cover(): Promise<void> {
    for (let snapshot = 0; snapshot < 2; snapshot += 1) {
      await refused(`cover-${snapshot}-${now}`);
      await writer.log.snapshot();
    }
  }

  it('takes refusals whose keys have expired, says so beforehand, and nothing else', async () => {
    now += 31 * DAY_MILLIS;
    await cover();
    const before = await types();
    const plan = await planCompaction(writer.log, context);
    expect(plan.dispensableEvents).toBeGreaterThan(REFUSALS / 2);
    expect(await types()).toEqual(before);
    const report = await compactLedger(writer.log, context);
    expect(report).toMatchObject({ below: plan.below });
    // What stands in the segment into which the bound falls stays.
    expect(report.droppedRecords).toBeGreaterThan(REFUSALS / 2);
    expect(report.droppedRecords).toBeLessThanOrEqual(plan.dispensableEvents);
    expect(report.bytesAfter).toBeLessThan(0.7 * report.bytesBefore);
    expect(await types()).toEqual({
      ...before,
      CommandRejected: before['CommandRejected']! - report.droppedRecords,
    });
    expect((await compactLedger(writer.log, context)).rewritten).toBe(0);
  });

  it('leaves a state that is proved, from a snapshot, and goes on after a restart', async () => {
    now += 31 * DAY_MILLIS;
    await cover();
    await compactLedger(writer.log, context);
    await refused('later');
    await writer.log.checkpoint();
    const proof = await verifyLedgerState(
      {
        ...{ records: writer.log.wal, events: writer.log },
        stateDirectory: join(directory, 'state'),
        snapshotDirectory: join(directory, 'snapshots'),
        readModelDirectory: join(directory, 'none'),
      },
      context,
    );
    expect(proof).toMatchObject({ sound: true, state: { matches: true } });
    const { lastPosition } = writer.log;
    await writer.close();
    writer = await open();
    expect(writer.log.lastPosition).toBe(lastPosition);
    expect(await refused('later')).toMatchObject({ replayed: true });
    // A key of long ago is as good as new.
    expect(await refused('key-1')).toMatchObject({ replayed: false });
  });

  it('takes nothing while keys are known, nothing without two snapshots, and nothing that somebody still needs', async () => {
    await cover();
    expect(await compactLedger(writer.log, context)).toMatchObject({ droppedRecords: 0 });
    now += 31 * DAY_MILLIS;
    await refused('now');
    writer.log.wal.floors.set('projection:slow', 1 as never);
    expect(await compactLedger(writer.log, context)).toMatchObject({ segments: 0 });
    expect(await planCompaction(writer.log, context)).toMatchObject({ below: 1 });
    writer.log.wal.floors.drop('projection:slow');
    expect((await compactLedger(writer.log, context)).droppedRecords).toBeGreaterThan(0);
    expect(writer.log.eventAt(writer.log.lastPosition)).toBeDefined();
  });
});

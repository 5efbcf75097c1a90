import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Answer, LedgerCommand } from '@holdfast/ledger';
import { LedgerTablesInMemory } from './projections/testing/ledger-tables-in-memory.js';
import { LedgerWriter } from './write-side/ledger-writer.js';
import { LEDGER_OPERATIONS } from './ledger-operations.js';
import { verifyDerivedState, compactLog, planCompaction } from '@holdfast/operations';

const DAY_MILLIS = 86_400_000;
const REFUSALS = 200;
const policy = LEDGER_OPERATIONS.compaction;
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
      clock: { nowMillis: () => now, monotonicMillis: () => now },
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

  it('takes nothing for a reason that its policy does not name, beforehand or then', async () => {
    now += 31 * DAY_MILLIS;
    await cover();
    const before = await types();
    const odd = {
      ...policy,
      dispensableAs: (...of: Parameters<typeof policy.dispensableAs>) =>
        policy.dispensableAs(...of) && ('odd' as 'expiredRefusals'),
    };
    for (const work of [planCompaction, compactLog])
      await expect(work(writer.log, odd, context)).rejects.toThrow('odd');
    expect(await types()).toEqual(before);
  });

  it('takes refusals whose keys have expired, says so beforehand, and nothing else', async () => {
    now += 31 * DAY_MILLIS;
    await cover();
    const before = await types();
    const plan = await planCompaction(writer.log, policy, context);
    // All but the last below the bound, which keeps the stream's version.
    expect(plan.expiredRefusals.events).toBe(REFUSALS - 1);
    expect(plan.supersededMetadata).toEqual({ events: 0, bytes: 0 });
    expect(plan).toMatchObject({
      dispensableEvents: plan.expiredRefusals.events,
      dispensableBytes: plan.expiredRefusals.bytes,
    });
    expect(await types()).toEqual(before);
    const report = await compactLog(writer.log, policy, context);
    expect(report).toMatchObject({ below: plan.below });
    // What stands in the segment into which the bound falls stays.
    expect(report.droppedRecords).toBeGreaterThan(REFUSALS / 2);
    expect(report.droppedRecords).toBeLessThanOrEqual(plan.dispensableEvents);
    expect(report.bytesAfter).toBeLessThan(0.7 * report.bytesBefore);
    expect(await types()).toEqual({
      ...before,
      CommandRejected: before['CommandRejected']! - report.droppedRecords,
    });
    expect((await compactLog(writer.log, policy, context)).rewritten).toBe(0);
  });

  it('leaves a state that is proved, from a snapshot, and goes on after a restart', async () => {
    now += 31 * DAY_MILLIS;
    await cover();
    await compactLog(writer.log, policy, context);
    await refused('later');
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
    expect(await compactLog(writer.log, policy, context)).toMatchObject({ droppedRecords: 0 });
    now += 31 * DAY_MILLIS;
    await refused('now');
    writer.log.wal.floors.set('projection:slow', 1 as never);
    expect(await compactLog(writer.log, policy, context)).toMatchObject({ segments: 0 });
    expect(await planCompaction(writer.log, policy, context)).toMatchObject({ below: 1 });
    writer.log.wal.floors.drop('projection:slow');
    expect((await compactLog(writer.log, policy, context)).droppedRecords).toBeGreaterThan(0);
    expect(writer.log.eventAt(writer.log.lastPosition)).toBeDefined();
  });

  describe('with metadata that was changed over and over', () => {
    const CHANGES = 150;
    const ALICE = { ledger: 'main', accountId: 'alice' } as const;
    type Accepted = Exclude<Answer, { readonly kind: 'rejection' }>;
    let transferId: string;

    beforeEach(async () => {
      await accepted({ type: 'RegisterAsset', ledger: 'main', asset: 'EUR', scale: 2 });
      const account = { type: 'OpenAccount', ledger: 'main', asset: 'EUR' } as const;
      await accepted({ ...account, ...ALICE, normalSide: 'credit' });
      await accepted({ ...account, accountId: 'cash', normalSide: 'debit', floor: null });
      const legs = [
        { accountId: 'cash', side: 'debit', amount: '7' },
        { accountId: 'alice', side: 'credit', amount: '7' },
      ] as const;
      transferId = idOf(await accepted({ type: 'PostTransfer', ledger: 'main', legs }));
      for (let number = 1; number <= CHANGES; number += 1) {
        await change(number);
        await accepted({
          ...{ type: 'ChangeTransferMetadata', ledger: 'main', transferId },
          metadata: { number: String(number), only: number === 1 ? 'once' : null },
        });
      }
    });

    let keys = 0;
    async function accepted(command: LedgerCommand): Promise<Accepted> {
      const key = `accepted-${(keys += 1)}`;
      const idempotency = { key, bodyHash: key };
      const outcome = await writer.execute(command, { actor: 'test', idempotency });
      if (outcome.kind !== 'answered' || outcome.answer.kind === 'rejection')
        throw new Error(JSON.stringify(outcome));
      return outcome.answer;
    }

    const idOf = ({ body }: Accepted): string => (body as { readonly id: string }).id;
    const change = (number: number, expectedVersion?: number): Promise<Accepted> =>
      accepted({
        ...{ type: 'ChangeAccount', ...ALICE, metadata: { number: String(number) } },
        ...(expectedVersion !== undefined && { expectedVersion }),
      });

    async function readModel(): Promise<Record<string, unknown[]>> {
      const tables = new LedgerTablesInMemory();
      for await (const { events } of writer.log.readAll()) tables.apply(events);
      const contents = tables.contents();
      tables.close();
      return contents;
    }

    async function versionsOf(stream: string): Promise<number[]> {
      const versions: number[] = [];
      for await (const { version } of writer.log.readStream(stream)) versions.push(version);
      return versions;
    }

    it('takes what a later event has replaced; a read model and a state made anew end as before, and what comes next is decided alike', async () => {
      now += 31 * DAY_MILLIS;
      await cover();
      const [before, rows] = [await types(), await readModel()];
      const plan = await planCompaction(writer.log, policy, context);
      // The last change of each stays.
      expect(plan.supersededMetadata.events).toBe(2 * (CHANGES - 1));
      expect(plan.dispensableEvents).toBe(2 * (CHANGES - 1) + plan.expiredRefusals.events);
      const report = await compactLog(writer.log, policy, context);
      const after = await types();
      expect(report.droppedRecords).toBeGreaterThan(REFUSALS + CHANGES);
      expect(after['MetadataChanged']).toBeLessThan(CHANGES);
      expect({ ...after, MetadataChanged: 0, CommandRejected: 0 }).toEqual({
        ...{ ...before, MetadataChanged: 0, CommandRejected: 0 },
      });
      expect(await readModel()).toEqual(rows);

      await writer.close();
      // Nothing but the compacted log is left to make the state of.
      for (const made of ['state', 'snapshots'])
        await rm(join(directory, made), { recursive: true });
      writer = await open();
      expect(await readModel()).toEqual(rows);
      const versions = await versionsOf('main/account/alice');
      expect([versions[0], versions.at(-1)]).toEqual([1, 1 + CHANGES]);
      expect(versions.length).toBeLessThan(CHANGES);
      expect(await versionsOf(`main/transfer/${transferId}`)).toHaveLength(
        1 + after['MetadataChanged']! - (versions.length - 1),
      );
      expect(await change(0, 1 + CHANGES)).toMatchObject({ body: { version: 2 + CHANGES } });
      const patch = { type: 'ChangeTransferMetadata', ledger: 'main', transferId } as const;
      expect(
        await accepted({ ...patch, expectedVersion: 1 + CHANGES, metadata: { more: 'yes' } }),
      ).toMatchObject({ body: { metadata: { number: String(CHANGES), more: 'yes' } } });
    });

    it('takes none whose key is known', async () => {
      now += 29 * DAY_MILLIS;
      await cover();
      expect(await planCompaction(writer.log, policy, context)).toMatchObject({
        dispensableEvents: 0,
      });
      expect(await compactLog(writer.log, policy, context)).toMatchObject({ droppedRecords: 0 });
    });

    it('takes none for the sake of a change above the bound, which may come while it works', async () => {
      now += 31 * DAY_MILLIS;
      await cover();
      const plan = await planCompaction(writer.log, policy, context);
      await change(0);
      expect(await planCompaction(writer.log, policy, context)).toEqual(plan);
    });

    it('goes by the time of the log, not by a clock that may be set back', async () => {
      await cover();
      now += 31 * DAY_MILLIS;
      expect(await planCompaction(writer.log, policy, context)).toMatchObject({
        dispensableEvents: 0,
      });
      expect(await compactLog(writer.log, policy, context)).toMatchObject({ droppedRecords: 0 });
    });
  });
});

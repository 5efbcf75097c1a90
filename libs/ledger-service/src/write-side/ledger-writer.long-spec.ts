import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Attempt } from '@holdfast/commands';
import type { LedgerCommand, PostTransfer } from '@holdfast/ledger';
import { worldSetUp } from '@holdfast/ledger/testing';
import type { Sequence } from '@holdfast/wal';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LedgerWriter } from './ledger-writer.js';

let directory: string;
let writer: LedgerWriter;
let keys = 0;

const wal = { create: true, segmentBytes: 1024 * 1024, frameBytesMax: 512 * 1024 };
const attempt = (key = `key-${(keys += 1)}`, bodyHash = 'hash'): Attempt => ({
  actor: 'tester',
  idempotency: { key, bodyHash },
});
const transfer: PostTransfer = {
  type: 'PostTransfer',
  ledger: 'main',
  legs: [
    { accountId: 'alice', side: 'debit', amount: '10' },
    { accountId: 'bob', side: 'credit', amount: '10' },
  ],
};

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-writer-'));
  writer = await LedgerWriter.open(directory, { wal });
  for (const command of worldSetUp) await writer.execute(command, attempt());
});
afterEach(async () => {
  await writer.close();
  await rm(directory, { recursive: true, force: true });
});

async function removeAllButTheLastSegment(): Promise<void> {
  const { rotations } = writer.log.stats();
  while (writer.log.stats().rotations === rotations)
    await writer.execute({ ...transfer, metadata: { filler: 'x'.repeat(400) } }, attempt());
  await writer.log.wal.maintenance.removeSegments({ below: writer.log.wal.durableSequence });
}

describe('the ledger writer', () => {
  it('decides, appends and applies in one turn, and tells when it is durable', async () => {
    const before = writer.log.lastPosition;
    const first = writer.admit(transfer, attempt());
    const second = writer.admit(transfer, attempt());
    expect([writer.log.lastPosition, writer.log.durablePosition]).toEqual([before + 2, before]);
    await writer.settle(second);
    expect(writer.log.durablePosition).toBe(before + 2);
    expect(await writer.settle(first)).toMatchObject({
      kind: 'answered',
      position: before + 1,
      replayed: false,
      answer: { kind: 'transfer' },
    });
  });

  it('says of a command whose event has been removed that it was decided, and applies nothing again', async () => {
    await writer.execute(transfer, attempt('old'));
    await removeAllButTheLastSegment();
    const before = writer.log.lastPosition;
    const removed = { code: 'COMMAND_ANSWER_REMOVED' };
    await expect(writer.execute(transfer, attempt('old'))).rejects.toMatchObject(removed);
    const key = { scope: 'main', actor: 'tester', key: 'old' };
    await expect(writer.find(key)).rejects.toMatchObject(removed);
    expect(writer.log.lastPosition).toBe(before);
  });

  it('moves money once under one key, also when a clock was a month ahead in between', async () => {
    await writer.close();
    let nowMillis = Date.now();
    const clock = { nowMillis: () => nowMillis, monotonicMillis: () => 0 };
    writer = await LedgerWriter.open(directory, { wal, clock });
    const first = await writer.execute(transfer, attempt('k'));
    nowMillis += 31 * 86_400_000;
    await writer.execute(transfer, attempt('of the future')).catch(() => undefined);
    nowMillis -= 31 * 86_400_000;
    expect(await writer.execute(transfer, attempt('k'))).toEqual({ ...first, replayed: true });
  });

  const named = { actor: 'tester' };
  const register: LedgerCommand = {
    type: 'RegisterAsset',
    ledger: 'main',
    asset: 'EUR',
    scale: 2,
  };

  it('answers a command that finds what it asks for, also when the event of it has been removed', async () => {
    const open: LedgerCommand = { type: 'OpenLedger', ledger: 'main' };
    const before = await writer.execute(open, named);
    expect(before).toMatchObject({
      answer: { kind: 'ledger', created: false, body: { openedAt: expect.any(String) } },
    });
    await removeAllButTheLastSegment();
    expect(await writer.execute(open, named)).toEqual({
      ...before,
      answer: { kind: 'ledger', created: false, body: { id: 'main', openedAt: null } },
    });
    expect(await writer.execute(register, named)).toMatchObject({
      answer: {
        kind: 'asset',
        created: false,
        body: { ledger: 'main', code: 'EUR', scale: 2, registeredAt: null },
      },
    });
    expect(await writer.execute({ ...register, scale: 3 }, named)).toMatchObject({
      rejection: { problem: 'asset-scale-differs' },
    });
  });

  it.each(['interval', 'none'] as const)(
    'answers a command that finds what is not synced yet, with durability %s',
    async (durability) => {
      const other = await mkdtemp(join(tmpdir(), 'holdfast-writer-'));
      const lazy = await LedgerWriter.open(other, {
        wal: { ...wal, durability, syncIntervalMillis: 60_000 },
        unsyncedMillisMax: 60_000,
      });
      for (const command of [{ type: 'OpenLedger', ledger: 'main' }, register] as const) {
        const made = await lazy.execute(command, named);
        const found = await lazy.execute(command, named);
        expect(lazy.log.durablePosition).toBe(0);
        expect(made).toMatchObject({ kind: 'answered', answer: { created: true } });
        expect(found).toEqual({
          ...made,
          answer: { ...('answer' in made && made.answer), created: false },
        });
      }
      await lazy.close();
      await rm(other, { recursive: true });
    },
  );

  it('applies nothing while the clock cannot be believed, and answers what was decided before', async () => {
    await writer.close();
    let nowMillis = Date.now();
    const clock = { nowMillis: () => nowMillis, monotonicMillis: () => 0 };
    const clockBounds = { skewMillisMax: 10_000, gapMillisMax: 1_000_000 };
    writer = await LedgerWriter.open(directory, { wal, clock, clockBounds });
    const first = await writer.execute(transfer, attempt('k'));
    const { lastPosition } = writer.log;
    nowMillis += 31 * 86_400_000;
    const skew = { code: 'EVENT_CLOCK_SKEW', details: { fault: 'ahead' } };
    await expect(writer.execute(transfer, attempt('new'))).rejects.toMatchObject(skew);
    const dry = { actor: 'tester', dryRun: true };
    await expect(writer.execute(transfer, dry)).rejects.toMatchObject(skew);
    expect(await writer.execute(transfer, attempt('k'))).toEqual({ ...first, replayed: true });
    const again = { type: 'OpenLedger', ledger: 'main' } as const;
    expect(await writer.execute(again, { actor: 'tester' })).toMatchObject({ kind: 'answered' });
    expect(writer.log.lastPosition).toBe(lastPosition);
    nowMillis -= 31 * 86_400_000;
    expect(await writer.execute(transfer, attempt('new'))).toMatchObject({ replayed: false });
  });

  it('lets nothing take effect in the future of the wall clock, where the time of the log is ahead', async () => {
    await writer.close();
    let nowMillis = Date.now() + 5_000;
    const clock = { nowMillis: () => nowMillis, monotonicMillis: () => 0 };
    writer = await LedgerWriter.open(directory, { wal, clock });
    await writer.execute(transfer, attempt());
    nowMillis -= 5_000;
    const now = new Date(nowMillis).toISOString();
    expect(await writer.execute(transfer, attempt())).toMatchObject({
      answer: { body: { effectiveAt: now, recordedAt: new Date(nowMillis + 5_000).toISOString() } },
    });
    const effectiveAt = new Date(nowMillis + 1).toISOString();
    expect(await writer.execute({ ...transfer, effectiveAt }, attempt())).toMatchObject({
      answer: { rejection: { problem: 'effective-in-future', parameters: { effectiveAt, now } } },
    });
  });

  it.each(['interval', 'none'] as const)(
    'repeats an answer that did not wait for a sync without waiting for one, with durability %s',
    async (durability) => {
      await writer.close();
      writer = await LedgerWriter.open(directory, {
        wal: { ...wal, durability, syncIntervalMillis: 60_000 },
        unsyncedMillisMax: 60_000,
      });
      const { durablePosition } = writer.log;
      const pending = writer.admit(transfer, attempt('k'));
      const tooEarly = writer.admit(transfer, attempt('k'));
      expect(await writer.settle(tooEarly)).toEqual({ kind: 'in-flight' });
      const first = await writer.settle(pending);
      expect(await writer.execute(transfer, attempt('k'))).toEqual({ ...first, replayed: true });
      const key = { scope: 'main', actor: 'tester', key: 'k' };
      expect(await writer.find(key)).toMatchObject({ kind: 'found', outcome: 'accepted' });
      expect(writer.log.durablePosition).toBe(durablePosition);
    },
  );

  it('lets readers see what was answered soon, also where nobody waits for a sync', async () => {
    await writer.close();
    writer = await LedgerWriter.open(directory, {
      wal: { ...wal, durability: 'none' },
      unsyncedMillisMax: 1,
    });
    await writer.execute(transfer, attempt());
    const { wal: log, lastPosition } = writer.log;
    await log.waitBeyond((lastPosition - 1) as Sequence);
    expect(writer.log.durablePosition).toBe(lastPosition);
  });

  it('finds a command by its key, its ledger and its actor', async () => {
    const made = await writer.execute(transfer, attempt('k'));
    const key = { scope: 'main', actor: 'tester', key: 'k' };
    expect(await writer.find(key)).toMatchObject({
      kind: 'found',
      outcome: 'accepted',
      ...(made.kind === 'answered' && { position: made.position, answer: made.answer }),
    });
    expect(await writer.find({ ...key, key: 'other' })).toBeUndefined();
    expect(await writer.find({ ...key, actor: 'other' })).toBeUndefined();
    expect(await writer.find({ ...key, scope: 'other' })).toBeUndefined();
  });

  it('is after a restart what it was before: its state is the fold of its log', async () => {
    await writer.execute(transfer, attempt('kept'));
    const rehearsal = (open: LedgerWriter) =>
      open.execute(
        { ...transfer, legs: transfer.legs.map((leg) => ({ ...leg, amount: '1000' })) },
        { actor: 'tester', dryRun: true },
      );
    const before = await rehearsal(writer);
    expect(before).toMatchObject({
      kind: 'refused',
      rejection: { parameters: { available: '990' } },
    });
    await writer.close();
    const progress: number[] = [];
    writer = await LedgerWriter.open(directory, {
      wal,
      onReplayProgress: ({ position }) => progress.push(position),
    });
    expect(progress.at(-1)).toBe(writer.log.lastPosition);
    expect(await rehearsal(writer)).toEqual(before);
    expect(await writer.execute(transfer, attempt('kept'))).toMatchObject({ replayed: true });
  });

  it('counts what came of commands, by their types', async () => {
    await writer.execute(transfer, attempt('a'));
    await writer.execute(transfer, attempt('a'));
    await writer.execute(transfer, attempt('a', 'another-hash'));
    await writer.execute(transfer, { actor: 'tester', dryRun: true });
    await writer.execute({ ...transfer, effectiveAt: '2999-01-01T00:00:00Z' }, attempt());
    await writer.execute({ ...transfer, legs: [] }, attempt());
    await writer.execute({ type: 'OpenLedger', ledger: 'main' }, { actor: 'tester' });
    const decisions = writer.decisions();
    expect(decisions.get('PostTransfer')).toEqual(
      new Map([
        ['accepted', worldSetUp.filter(({ type }) => type === 'PostTransfer').length + 1],
        ['replayed', 1],
        ['refused', 1],
        ['dry-run', 1],
        ['rejected', 1],
        ['malformed', 1],
      ]),
    );
    expect(decisions.get('OpenLedger')).toEqual(
      new Map([
        ['accepted', 1],
        ['unchanged', 1],
      ]),
    );
  });

  it('takes nothing once it is closed', async () => {
    await writer.close();
    await expect(writer.execute(transfer, attempt())).rejects.toMatchObject({
      code: 'COMMANDS_UNAVAILABLE',
    });
  });
});

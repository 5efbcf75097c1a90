import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type StateEvent, stateDigestAt, Upcasters } from '@holdfast/event-store';
import { evolve, type LedgerCommand, ledgerEventSchemas } from '@holdfast/ledger';
import { LEDGER_STATE } from '@holdfast/ledger';
import { LedgerWriter } from '@holdfast/ledger-service';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

/*
 * `state-ledger-2` was written by the last program whose state had the keys of commands in it: a log whose first segment was removed under retention policy
 * `snapshots`, and the snapshot that stands for it. Positions 1 to 23 are gone, the snapshot is of 25, the log ends at 26.
 */
const deposit: LedgerCommand = {
  type: 'PostTransfer',
  ledger: 'main',
  legs: [
    { accountId: 'bank', side: 'debit', amount: '1' },
    { accountId: 'alice', side: 'credit', amount: '1' },
  ],
};
const attempt = (key: string) => ({
  actor: 'tester',
  idempotency: { key, bodyHash: 'hash' },
});

describe('a snapshot of ledger-2 before a log whose beginning is gone', () => {
  let directory: string;
  let told: StateEvent[];

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'compat-state-'));
    cpSync('test/compat/state-ledger-2', directory, { recursive: true });
    told = [];
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const open = () =>
    LedgerWriter.open(join(directory, 'wal'), {
      state: {
        directory: join(directory, 'state'),
        snapshotDirectory: join(directory, 'snapshots'),
        onEvent: (event) => told.push(event),
      },
    });

  it('is taken over without its keys, and the keys are known by the index', async () => {
    const writer = await open();
    expect(told).toContainEqual(
      expect.objectContaining({
        kind: 'snapshot-loaded',
        mark: expect.objectContaining({ position: 25, stateVersion: 'ledger-3' }),
      }),
    );
    const { lastPosition } = writer.log;
    for (const key of ['kept-1', 'kept-2'])
      expect(await writer.execute(deposit, attempt(key))).toMatchObject({ replayed: true });
    for (const key of ['removed-1', 'removed-19', 'open-alice'])
      await expect(writer.execute(deposit, attempt(key))).rejects.toMatchObject({
        code: 'COMMAND_ANSWER_REMOVED',
      });
    expect(writer.log.lastPosition).toBe(lastPosition);
    expect(await writer.execute(deposit, attempt('new'))).toMatchObject({ replayed: false });
    await writer.close();
  });

  it('makes a state that is checkpointed, found again, and equal to a replay from the snapshot', async () => {
    let writer = await open();
    const { position, entries, digest } = await writer.log.checkpoint();
    const replayed = await stateDigestAt(writer.log.wal, position, {
      evolve,
      upcasters: new Upcasters(ledgerEventSchemas),
      ...LEDGER_STATE,
      snapshotDirectory: join(directory, 'snapshots'),
    });
    expect(replayed).toMatchObject({ from: 25, entries, digest });
    await writer.close();
    told = [];
    writer = await open();
    expect(told.map(({ kind }) => kind)).not.toContain('rebuilding');
    await writer.close();
    expect(existsSync(join(directory, 'state', 'STATE'))).toBe(true);
  });
});

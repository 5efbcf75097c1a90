import { describe, expect, it } from '@jest/globals';
import { WalEventLog } from '@holdfast/event-store';
import { TEST_LEDGER, TestBooks, worldSetUp } from '@holdfast/ledger/testing';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { busiestAccounts, followActivity } from './activity.js';

const transfer = (accountId: string) =>
  ({
    type: 'PostTransfer',
    ledger: TEST_LEDGER,
    legs: [
      { accountId: 'cash', side: 'debit', amount: '1' },
      { accountId, side: 'credit', amount: '1' },
    ],
  }) as const;

describe('the projection of docs/how-to/add-a-projection.md', () => {
  it('is printed in the guide to the letter', () => {
    const guide = readFileSync('docs/how-to/add-a-projection.md', 'utf8');
    const printed = [...guide.matchAll(/```ts\n([^]*?)```/g)].map((match) => match[1]).join('\n');
    expect(printed).toBe(readFileSync('test/guides/activity.ts', 'utf8'));
  });

  it('counts the transfers of a log that a service writes', async () => {
    const data = mkdtempSync(join(tmpdir(), 'activity-'));
    const books = new TestBooks().given(...worldSetUp, transfer('alice'), transfer('spare'));
    const log = await WalEventLog.open(join(data, 'wal'), { wal: { create: true } });
    const appends = books.events.map(({ stream, id, type, schemaVersion, data: content }) => ({
      ...{ stream, expectedVersion: 'any' as const },
      events: [{ id, type, schemaVersion, data: content }],
    }));
    await log.appendDurably({ appends });
    const leaving = new AbortController();
    const following = followActivity(data, leaving.signal);
    try {
      const day = new Date(books.nowMillis).toISOString().slice(0, 10);
      const seen = await eventually(() => {
        const busiest = busiestAccounts(data, TEST_LEDGER, day);
        return busiest.position === log.lastPosition ? busiest : undefined;
      });
      // The set-up posts three transfers, and two of them are of cash.
      expect(seen.accounts.slice(0, 2)).toEqual([
        { account: 'cash', transfers: 4 },
        { account: 'alice', transfers: 2 },
      ]);
    } finally {
      leaving.abort();
      await following;
      await log.close();
      rmSync(data, { recursive: true });
    }
  });
});

/** Asks until there is an answer: tables that are not filled yet throw. */
async function eventually<Value>(ask: () => Value | undefined): Promise<Value> {
  for (;;) {
    try {
      const value = ask();
      if (value !== undefined) return value;
    } catch (error) {
      expect(error).toMatchObject({ code: 'READ_MODEL_NOT_READY' });
    }
    await setTimeout(10);
  }
}

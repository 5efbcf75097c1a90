import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { TEST_LEDGER, TestBooks } from '../testing/index.js';
import { PUBLIC_EVENT_TYPES, PUBLIC_FACTS, publicEventOf } from './public-event.js';

const ledger = TEST_LEDGER;
const books = new TestBooks().given(
  { type: 'OpenLedger', ledger },
  { type: 'RegisterAsset', ledger, asset: 'EUR', scale: 2 },
  {
    type: 'OpenAccount',
    ...{ ledger, accountId: 'cash', asset: 'EUR', normalSide: 'debit', floor: null },
  },
  {
    type: 'OpenAccount',
    ...{ ledger, accountId: 'alice', asset: 'EUR', normalSide: 'credit', metadata: { vip: 'yes' } },
  },
);
books.execute({
  type: 'PostTransfer',
  ledger,
  reference: 'invoice 4711',
  legs: [
    { accountId: 'cash', side: 'debit', amount: '90071992547409930' },
    { accountId: 'alice', side: 'credit', amount: '90071992547409930' },
  ],
});
const transferId = (books.events.at(-1)!.data as { transferId: string }).transferId;
books.execute({ type: 'ChangeAccount', ledger, accountId: 'alice', floor: '-5' });
books.execute({ type: 'ChangeAccount', ledger, accountId: 'alice', metadata: { vip: null } });
books.execute({ type: 'ChangeTransferMetadata', ledger, transferId, metadata: { paid: 'yes' } });
books.execute({
  type: 'SetAccountStatus',
  ledger,
  accountId: 'alice',
  status: 'frozen',
  expectedVersion: 3,
});
books.execute({
  type: 'SetAccountStatus',
  ledger,
  accountId: 'ghost',
  status: 'frozen',
  expectedVersion: 1,
});
books.execute({ type: 'OpenLedger', ledger });

/** What is here is what clients and other systems rely on: members may be added at the end of it, and nothing else. */
const GOLDEN = readFileSync(new URL('./public-event.golden.ndjson', import.meta.url), 'utf8');

describe('a ledger’s event as clients see it', () => {
  it('never changes', () => {
    const lines = books.events.map((event) => JSON.stringify(publicEventOf(event)));
    expect(`${lines.join('\n')}\n`).toBe(GOLDEN);
  });

  it('is there for every type', () => {
    const types = new Set<string>(books.events.map(({ type }) => type));
    expect([...types].sort()).toEqual([...PUBLIC_EVENT_TYPES].sort());
    expect(PUBLIC_EVENT_TYPES.slice(0, PUBLIC_FACTS.length)).toEqual(PUBLIC_FACTS);
  });

  it('is none where a newer program has written it', () => {
    const unknown = { ...books.events[0]!, schemaVersion: 2 };
    expect(() => publicEventOf(unknown)).toThrow(
      expect.objectContaining({ code: 'LEDGER_EVENT_UNKNOWN' }),
    );
  });
});

import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import type { LedgerCommand } from './ledger-command.js';
import { TestBooks } from './testing/index.js';

it('does what the example in docs/ledger.md says', () => {
  const document = readFileSync(new URL('../../../docs/ledger.md', import.meta.url), 'utf8');
  const [order, posted, rejected] = Array.from(
    document.matchAll(/```json\n(.*?)```/gs),
    ([, text]) => JSON.parse(String(text)) as object,
  );
  const account = (accountId: string, normalSide: 'debit' | 'credit'): LedgerCommand => ({
    type: 'OpenAccount',
    ledger: 'main',
    accountId,
    asset: 'EUR',
    normalSide,
    ...(normalSide === 'debit' && { floor: null }),
  });
  const transfer = (body: object) =>
    ({ type: 'PostTransfer', ledger: 'main', ...body }) as LedgerCommand;
  const pay = (from: string, to: string, amount: string) =>
    transfer({
      legs: [
        { accountId: from, side: 'debit', amount },
        { accountId: to, side: 'credit', amount },
      ],
    });
  const books = new TestBooks().given(
    { type: 'OpenLedger', ledger: 'main' },
    { type: 'RegisterAsset', ledger: 'main', asset: 'EUR', scale: 2 },
    account('bank', 'debit'),
    account('alice', 'credit'),
    account('seller', 'credit'),
    account('fees', 'credit'),
    pay('bank', 'alice', '5000'),
  );
  books.execute(transfer(order ?? {}));
  expect(books.last()).toMatchObject({ type: 'TransferPosted', data: posted });
  expect(JSON.stringify(books.last().data)).toBe(JSON.stringify(posted));
  books.execute(pay('alice', 'seller', '4000'));
  expect(books.last()).toMatchObject({ type: 'CommandRejected', stream: 'main/rejections' });
  expect(JSON.stringify(books.last().data)).toBe(JSON.stringify(rejected));
});

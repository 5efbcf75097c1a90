import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CsvRow } from './csv-rows.js';
import { parseMapping } from './mapping.js';
import { RowMapper } from './row-mapper.js';

const BANK = readFileSync(join(process.cwd(), 'docs/guides/bank-1993.mapping.json'), 'utf8');

const deposit = {
  transaction: '171812',
  date: '1993-01-01',
  account: '576',
  direction: 'credit',
  amount: '900.00',
  kind: 'cash-deposit',
  purpose: '',
  counterparty_bank: '',
  counterparty_account: '',
  bank_balance_after: '',
};

const rowOf = (row: Record<string, string>): CsvRow => ({
  line: 2,
  fields: Object.values(row),
  raw: Object.values(row).join(','),
  bytes: 0,
  row,
});

const bank = new RowMapper(parseMapping('bank.json', BANK), 'main');

describe('a row', () => {
  it('becomes a transfer under a key of its own, with the accounts that it needs', () => {
    expect(bank.map(rowOf(deposit))).toEqual({
      kind: 'transfer',
      id: '171812',
      key: 'import:bank-1993:row:1:171812',
      transfer: {
        type: 'PostTransfer',
        ledger: 'main',
        legs: [
          { accountId: 'cash', side: 'debit', amount: '90000' },
          { accountId: 'customer-576', side: 'credit', amount: '90000' },
        ],
        reference: 'bank-1993/171812',
        effectiveAt: '1993-01-01T00:00:00.000Z',
        metadata: { kind: 'cash-deposit' },
      },
      accounts: [
        expect.objectContaining({
          id: 'cash',
          key: expect.stringMatching(/^import:bank-1993:account:cash:[\w-]{43}$/),
        }),
        expect.objectContaining({
          id: 'customer-576',
          command: expect.objectContaining({ normalSide: 'credit', floor: null, asset: 'CZK' }),
        }),
      ],
    });
  });

  it.each<[object, readonly [string, string]]>([
    [{ kind: 'internal', purpose: 'interest' }, ['bank', 'customer-576']],
    [{ direction: 'debit', kind: 'cash-withdrawal' }, ['customer-576', 'cash']],
    [
      { direction: 'debit', kind: 'cash-withdrawal', purpose: 'statement-fee' },
      ['customer-576', 'bank'],
    ],
    [{ kind: 'transfer-in', counterparty_bank: 'ST' }, ['bank-ST', 'customer-576']],
    [
      { direction: 'debit', kind: 'transfer-out', counterparty_bank: 'EF' },
      ['customer-576', 'bank-EF'],
    ],
  ])('moves money by the first rule that fits it: %j', (change, [debited, credited]) => {
    expect(bank.map(rowOf({ ...deposit, ...change }))).toMatchObject({
      transfer: { legs: [{ accountId: debited }, { accountId: credited }] },
    });
  });

  it.each<[object, string]>([
    [{ amount: '' }, 'amount: "" is not an amount'],
    [{ amount: '1.005' }, 'more than 2 decimal places'],
    [{ amount: '0.00' }, 'nothing moves'],
    [{ amount: '-900.00' }, 'no rule of the mapping fits'],
    [{ amount: '9'.repeat(40) }, 'amount must be a string of 1 to 36 digits'],
    [{ kind: 'barter' }, 'no rule of the mapping fits'],
    [{ date: '1993-02-30' }, 'date: "1993-02-30" is not a time like YYYY-MM-DD'],
    [{ date: '01.01.1993' }, 'is not a time like'],
    [{ transaction: '' }, 'transaction: the id is empty'],
    [{ account: 'a/b' }, 'accountId must be'],
    [{ purpose: 'x'.repeat(501) }, 'metadata'],
    [{ purpose: '\ufffd' }, 'encoding'],
  ])('that cannot be taken says why: %j', (change, reason) => {
    expect(bank.map(rowOf({ ...deposit, ...change }))).toEqual({
      kind: 'refused',
      id: 'transaction' in change ? undefined : '171812',
      reason: expect.stringContaining(reason),
    });
  });

  it('goes the other way by its sign, and may be passed over', () => {
    const mapping = parseMapping(
      'm.json',
      JSON.stringify({
        name: 'statement',
        asset: { code: 'EUR', scale: 2 },
        row: { id: '{id}', amount: { column: 'amount', decimalMark: ',', groupMark: '.' } },
        accounts: {
          bank: { id: 'bank', normalSide: 'debit' },
          open: { id: 'open-items', normalSide: 'credit', floor: null },
        },
        rules: [
          { when: { text: ['memo', 'total'] }, skip: true },
          { sign: 'negative', debit: 'open', credit: 'bank' },
          { debit: 'bank', credit: 'open' },
        ],
      }),
    );
    const map = (amount: string, text: string) =>
      new RowMapper(mapping, 'main').map(rowOf({ id: '1', amount, text }));
    expect(map('-1.234,50', 'rent')).toMatchObject({
      transfer: { legs: [{ accountId: 'open-items', amount: '123450' }, { accountId: 'bank' }] },
    });
    expect(map('2', 'sale')).toMatchObject({
      transfer: { legs: [{ accountId: 'bank', amount: '200' }, { accountId: 'open-items' }] },
    });
    expect(map('', 'total')).toEqual({ kind: 'skipped' });
  });
});

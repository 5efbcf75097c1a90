import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CsvRow } from './csv-rows.js';
import { parseMapping } from './mapping.js';
import { type MappedRow, RowMapper } from './row-mapper.js';

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
  recordHash: '',
  bytes: 0,
  row,
});

const bank = new RowMapper(parseMapping('bank.json', BANK), 'main');

const MOVES = { debit: 'bank', credit: 'open' };
const TWO_COLUMNS = { in: 'in', out: 'out' };
const SIGN_COLUMN = {
  column: 'amount',
  sign: { column: 'sign', negative: ['S'], positive: ['H'] },
};

function mapperOf(parts: object): (row: Record<string, string>) => MappedRow {
  const mapping = parseMapping(
    'm.json',
    JSON.stringify({
      name: 'm',
      asset: { code: 'EUR', scale: 2 },
      accounts: {
        bank: { id: 'bank', normalSide: 'debit' },
        open: { id: 'open', normalSide: 'credit' },
      },
      ...parts,
    }),
  );
  const mapper = new RowMapper(mapping, 'main');
  return (row) => mapper.map(rowOf(row));
}

describe('a row', () => {
  it('becomes a transfer under a key of its own, with the accounts that it needs', () => {
    expect(bank.map(rowOf(deposit))).toEqual({
      kind: 'transfer',
      id: '171812',
      key: 'import:bank-1993:row:1:171812',
      givenReference: 'bank-1993/171812',
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
    [{ amount: '1.0055' }, 'more than 2 decimal places'],
    [{ amount: '1.005' }, 'amount: "1.005" may be 1.005 or 1005: name decimalMark'],
    [{ amount: '1.005\u00a0x' }, 'amount: "1.005\\u00a0x" is not an amount'],
    [{ amount: '0.00' }, 'amount: nothing moves'],
    [{ amount: '-900.00' }, 'no rule of the mapping fits'],
    [{ amount: '9'.repeat(40) }, 'amount must be a string of 1 to 36 digits'],
    [
      { kind: 'barter' },
      'no rule of the mapping fits it: a positive amount, direction "credit", kind "barter", purpose ""',
    ],
    [{ date: '1993-02-30' }, 'date: "1993-02-30" is not a time like YYYY-MM-DD'],
    [{ date: '01.01.1993' }, 'is not a time like'],
    [{ transaction: '' }, 'transaction: the id is empty'],
    [{ account: 'a/b' }, 'accountId must be'],
    [{ account: '' }, 'account: the id of the account customer is empty'],
    [{ purpose: 'x'.repeat(501) }, 'metadata'],
    [{ purpose: 'M\ufffdrz' }, 'purpose: "M\ufffdrz" is not in the encoding of the file'],
  ])('that cannot be taken says why: %j', (change, reason) => {
    expect(bank.map(rowOf({ ...deposit, ...change }))).toEqual({
      kind: 'refused',
      id: 'transaction' in change ? undefined : '171812',
      givenReference: `bank-1993/${'transaction' in change ? '' : '171812'}`,
      reason: expect.stringContaining(reason),
    });
  });

  it('whose two accounts come to one moves nothing, and is refused', () => {
    const map = mapperOf({
      row: { id: '{id}', amount: { column: 'amount' } },
      accounts: {
        from: { id: 'account-{from}{branch}', normalSide: 'debit' },
        to: { id: 'account-7', normalSide: 'debit' },
      },
      rules: [{ debit: 'from', credit: 'to' }],
    });
    const row = { id: '1', amount: '5.00', from: '7', branch: '' };
    expect(map(row)).toEqual({
      ...{ kind: 'refused', id: '1' },
      reason: 'from, branch: the accounts from and to are both account-7, and nothing moves',
    });
    expect(map({ ...row, branch: '1' }).kind).toBe('transfer');
  });

  it('is none where the line is to be ignored, whatever its fields are', () => {
    const map = mapperOf({
      csv: { ignoreLines: [{ startsWith: 'Total' }] },
      row: { id: '{id}', amount: { column: 'amount' } },
      rules: [MOVES],
    });
    expect(map({ id: 'Total', amount: '5.00' })).toEqual({ kind: 'skipped' });
    expect(map({ id: '5', amount: '5.00' }).kind).toBe('transfer');
  });

  it('leaves out what its columns leave empty', () => {
    expect(bank.map(rowOf({ ...deposit, date: '' }))).toMatchObject({
      transfer: expect.not.objectContaining({ effectiveAt: expect.anything() }),
    });
  });

  it.each<[string, readonly object[], readonly [string, string][]]>([
    [
      'skipped by its sign leaves the other sign alone',
      [{ sign: 'negative', skip: true }, MOVES],
      [
        ['400.00', 'transfer'],
        ['-30.00', 'skipped'],
        ['25.50', 'transfer'],
        ['x', 'refused'],
      ],
    ],
    [
      'skipped whatever its amount is',
      [{ skip: true }],
      [
        ['400.00', 'skipped'],
        ['-30.00', 'skipped'],
        ['x', 'skipped'],
      ],
    ],
    [
      'with an amount that cannot be read is not skipped when a rule before may fit it',
      [MOVES, { skip: true }],
      [
        ['-30.00', 'skipped'],
        ['x', 'refused'],
      ],
    ],
  ])('%s', (_, rules, amounts) => {
    const map = mapperOf({ row: { id: '{id}', amount: { column: 'amount' } }, rules });
    for (const [amount, kind] of amounts) expect(map({ id: '1', amount }).kind).toBe(kind);
  });

  it.each<[object, Record<string, string>, string]>([
    [TWO_COLUMNS, { in: '5.00', out: '' }, 'bank 500'],
    [TWO_COLUMNS, { in: '', out: '5.00' }, 'open 500'],
    [TWO_COLUMNS, { in: '0.00', out: '5.00' }, 'open 500'],
    [TWO_COLUMNS, { in: '', out: '-5.00' }, 'out: "-5.00" must be written positive'],
    [TWO_COLUMNS, { in: '-5.00', out: '' }, 'in: "-5.00" must be written positive'],
    [TWO_COLUMNS, { in: '1.00', out: '5.00' }, 'in, out: "1.00", "5.00": only one of them'],
    [TWO_COLUMNS, { in: '', out: '' }, 'in, out: neither has an amount'],
    [TWO_COLUMNS, { in: '0.00', out: '' }, 'in, out: nothing moves'],
    [TWO_COLUMNS, { in: 'x', out: '5.00' }, 'in: "x" is not an amount'],
    [{ ...TWO_COLUMNS, outWritten: 'negative' }, { in: '', out: '-5.00' }, 'open 500'],
    [
      { ...TWO_COLUMNS, outWritten: 'negative' },
      { in: '', out: '5.00' },
      'out: "5.00" must be written negative',
    ],
    [SIGN_COLUMN, { amount: '5.00', sign: 'S' }, 'open 500'],
    [SIGN_COLUMN, { amount: '-5.00', sign: 'S' }, 'open 500'],
    [SIGN_COLUMN, { amount: '5.00', sign: 'H' }, 'bank 500'],
    [
      SIGN_COLUMN,
      { amount: '-5.00', sign: 'H' },
      'amount: "-5.00" has another sign than sign, "H"',
    ],
    [SIGN_COLUMN, { amount: '5.00', sign: '' }, 'sign: "" is no sign; there are "S", "H"'],
  ])('with its amount by %j and %j: %s', (amount, values, expected) => {
    const mapped = mapperOf({
      row: { id: '{id}', amount },
      rules: [{ sign: 'negative', debit: 'open', credit: 'bank' }, MOVES],
    })({ id: '1', ...values });
    const [debited] = mapped.kind === 'transfer' ? mapped.transfer.legs : [];
    const told = mapped.kind === 'refused' ? mapped.reason : undefined;
    expect(told ?? `${debited!.accountId} ${debited!.amount}`).toContain(expected);
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

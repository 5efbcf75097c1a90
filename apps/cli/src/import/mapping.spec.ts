import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { columnsOf, parseMapping } from './mapping.js';

const BANK = readFileSync(join(process.cwd(), 'docs/guides/bank-1993.mapping.json'), 'utf8');

const minimal = () => ({
  name: 'shop',
  asset: { code: 'EUR', scale: 2 },
  row: { id: '{id}', amount: { column: 'amount' } },
  accounts: {
    cash: { id: 'cash', normalSide: 'debit' },
    sales: { id: 'sales', normalSide: 'credit' },
  },
  rules: [{ debit: 'cash', credit: 'sales' }],
});

describe('a mapping', () => {
  it('is read with its defaults', () => {
    const mapping = parseMapping('m.json', JSON.stringify(minimal()));
    expect(mapping.csv).toEqual({ delimiter: ',', quote: '"', encoding: 'utf8' });
    expect(mapping.accounts['cash']).toMatchObject({ floor: '0', ceiling: null });
    expect(columnsOf(mapping)).toEqual(['amount', 'id']);
  });

  it('of the guide names the columns of its file', () => {
    const header = readFileSync(join(process.cwd(), 'test/data/bank-1993.csv'), 'utf8').split(
      /\r?\n/,
    )[0]!;
    const columns = columnsOf(parseMapping('bank.json', BANK));
    expect(header.split(',')).toEqual(expect.arrayContaining([...columns]));
  });

  it.each<[string, (mapping: ReturnType<typeof minimal>) => object, string]>([
    ['an unknown member', (m) => ({ ...m, rule: [] }), 'rule is not known here'],
    ['no name', (m) => ({ ...m, name: undefined }), 'name is missing'],
    ['a name with spaces', (m) => ({ ...m, name: 'a b' }), 'name must be 1 to 64'],
    [
      'an asset in lower case',
      (m) => ({ ...m, asset: { code: 'eur', scale: 2 } }),
      'asset.code must be',
    ],
    [
      'a scale that is text',
      (m) => ({ ...m, asset: { code: 'EUR', scale: '2' } }),
      'asset.scale must be a whole number',
    ],
    ['no accounts', (m) => ({ ...m, accounts: {} }), 'accounts must have at least one'],
    ['a list of accounts', (m) => ({ ...m, accounts: [] }), 'accounts must be an object'],
    [
      'an unknown side',
      (m) => ({ ...m, accounts: { a: { id: 'a', normalSide: 'left' } } }),
      'accounts.a.normalSide must be one of debit, credit',
    ],
    [
      'a floor that is a number',
      (m) => ({ ...m, accounts: { a: { id: 'a', normalSide: 'debit', floor: 0 } } }),
      'accounts.a.floor must be text',
    ],
    ['no rules', (m) => ({ ...m, rules: [] }), 'rules must be a list of at least one'],
    [
      'an unknown account in a rule',
      (m) => ({ ...m, rules: [{ debit: 'cash', credit: 'bank' }] }),
      'rules[0].credit must be one of cash, sales',
    ],
    [
      'one account on both sides',
      (m) => ({ ...m, rules: [{ debit: 'cash', credit: 'cash' }] }),
      'rules[0].credit must be another account',
    ],
    [
      'a rule that skips and moves',
      (m) => ({ ...m, rules: [{ skip: true, debit: 'cash' }] }),
      'rules[0].skip must be true',
    ],
    [
      'a condition that is no text',
      (m) => ({ ...m, rules: [{ when: { kind: 1 }, debit: 'cash', credit: 'sales' }] }),
      'rules[0].when.kind must be text',
    ],
    ['an open brace', (m) => ({ ...m, row: { ...m.row, id: '{id' } }), 'row.id has a brace'],
    [
      'a date without a day',
      (m) => ({ ...m, row: { ...m.row, effectiveAt: { column: 'd', format: 'YYYY-MM' } } }),
      'row.effectiveAt.format must have YYYY, MM and DD',
    ],
  ])('with %s is refused with its place', (_, change, problem) => {
    const text = JSON.stringify(change(minimal()));
    expect(() => parseMapping('m.json', text)).toThrow(
      expect.objectContaining({
        code: 'IMPORT_MAPPING_INVALID',
        message: expect.stringContaining(`m.json: ${problem}`),
      }),
    );
  });

  it('that is not JSON is refused', () => {
    expect(() => parseMapping('m.json', '{ "name": ')).toThrow(/m\.json is not JSON/);
  });
});

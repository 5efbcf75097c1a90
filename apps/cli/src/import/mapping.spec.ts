import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MAPPING_SCHEMA } from './mapping-schema.js';
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

const withRow = (mapping: ReturnType<typeof minimal>, row: object) => ({
  ...mapping,
  row: { ...mapping.row, ...row },
});

describe('a mapping', () => {
  it('is read with its defaults', () => {
    const mapping = parseMapping('m.json', JSON.stringify(minimal()));
    expect(mapping.csv).toEqual({
      ...{ delimiter: ',', quote: '"', encoding: undefined, columns: undefined },
      ...{ ignoreLines: [], order: 'oldest-first' },
    });
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
      'row.effectiveAt.format must have a year (YYYY or YY)',
    ],
    [
      'an offset as text',
      (m) => withRow(m, { effectiveAt: { column: 'd', format: 'YYYY-MM-DDTHH:mm+02:00' } }),
      'row.effectiveAt.format has the digit 0',
    ],
    [
      'an unknown time zone',
      (m) => withRow(m, { effectiveAt: { column: 'd', format: 'YYYY-MM-DD', timeZone: 'Berlin' } }),
      'row.effectiveAt.timeZone must be the name of a time zone',
    ],
    [
      'one mark for decimals and groups',
      (m) => withRow(m, { amount: { column: 'a', decimalMark: ',', groupMark: ',' } }),
      'row.amount.groupMark must be another mark than decimalMark, ","',
    ],
    [
      'groups by the mark that decimals have when it is left out',
      (m) => withRow(m, { amount: { column: 'a', groupMark: '.' } }),
      'row.amount.groupMark must be another mark than decimalMark, "." when it is left out',
    ],
    [
      'a mark that is none',
      (m) => withRow(m, { amount: { column: 'a', decimalMark: ';' } }),
      'row.amount.decimalMark must be one of ".", ","',
    ],
    [
      'a currency that has a digit',
      (m) => withRow(m, { amount: { column: 'a', currency: ['E1'] } }),
      'row.amount.currency[0] must have a letter or a currency sign, and no digit',
    ],
    [
      'no column of the amount',
      (m) => withRow(m, { amount: {} }),
      'row.amount must have column, or in and out for two columns',
    ],
    [
      'one of two columns',
      (m) => withRow(m, { amount: { in: 'a' } }),
      'row.amount must have in and out together',
    ],
    [
      'one word for both signs',
      (m) => withRow(m, { amount: { column: 'a', negative: ['D'], positive: ['D'] } }),
      'row.amount.positive must not have "D"',
    ],
    [
      'one word for both signs in the column of the sign',
      (m) =>
        withRow(m, {
          amount: { column: 'a', sign: { column: 's', negative: ['S', 'X'], positive: ['X'] } },
        }),
      'row.amount.sign.positive must not have "X", as negative has',
    ],
    [
      'a currency that is a sign',
      (m) => withRow(m, { amount: { column: 'a', currency: ['EUR', 'D'], negative: ['D'] } }),
      'row.amount.currency must not have "D", as negative has',
    ],
    [
      'an unknown encoding',
      (m) => ({ ...m, csv: { encoding: 'utf9' } }),
      'csv.encoding is not known: "utf9"; there are utf8, ',
    ],
    [
      'an encoding in which what cannot be read is left out',
      (m) => ({ ...m, csv: { encoding: 'UTF-7' } }),
      'csv.encoding is not known: "UTF-7"; there are utf8, ',
    ],
    [
      'two characters for the quote',
      (m) => ({ ...m, csv: { quote: "''" } }),
      'csv.quote must be at most 1 character',
    ],
    [
      'a delimiter that nothing can hold',
      (m) => ({ ...m, csv: { delimiter: '%', quote: '' } }),
      'csv.delimiter must have no letter, digit, _ or % without csv.quote',
    ],
    [
      'columns without those that it names',
      (m) => ({ ...m, csv: { columns: ['id'] } }),
      'csv.columns must have "amount"',
    ],
    [
      'a column twice that it names',
      (m) => ({ ...m, csv: { columns: ['id', 'amount', 'id'] } }),
      'csv.columns must have "id" only once',
    ],
    [
      'a regular expression that is none',
      (m) => ({ ...m, csv: { ignoreLines: [{ matches: '(' }] } }),
      'csv.ignoreLines[0] matches must be a regular expression',
    ],
    [
      'an unknown comparison',
      (m) => ({ ...m, rules: [{ when: { kind: { has: 'x' } }, skip: true }] }),
      'rules[0].when.kind.has is not known here; there are equals, contains,',
    ],
    [
      'two comparisons in one',
      (m) => ({ ...m, rules: [{ when: { kind: { contains: 'x', endsWith: 'y' } }, skip: true }] }),
      'rules[0].when.kind must have one of equals, contains,',
    ],
    ['no skip', (m) => ({ ...m, rules: [{ skip: false }] }), 'rules[0].skip must be true'],
    ['a rule without debit', (m) => ({ ...m, rules: [{}] }), 'rules[0].debit is missing'],
    [
      'too large a scale',
      (m) => ({ ...m, asset: { code: 'EUR', scale: 19 } }),
      'asset.scale must be a whole number, <= 18',
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

  it('has the schema that editors read, and may say where that is', () => {
    const published = readFileSync(
      join(process.cwd(), 'docs/guides/import-mapping.schema.json'),
      'utf8',
    );
    expect(JSON.parse(published)).toEqual(MAPPING_SCHEMA);
    const text = JSON.stringify({ $schema: './import-mapping.schema.json', ...minimal() });
    expect(parseMapping('m.json', text).name).toBe('shop');
  });

  it('that a note has from an earlier version may have a locale with another calendar', () => {
    const effectiveAt = { column: 'day', format: 'D MMMM YYYY', locale: 'fa' };
    const text = JSON.stringify({ ...minimal(), row: { amount: { column: 'a' }, effectiveAt } });
    expect(() => parseMapping('m.json', text)).toThrow('row.effectiveAt.locale must be of the');
    expect(parseMapping('note.json', text, true).row.effectiveAt?.column).toBe('day');
  });

  it('that is not JSON is refused', () => {
    expect(() => parseMapping('m.json', '{ "name": ')).toThrow(/m\.json is not JSON/);
  });
});

import { describe, expect, it } from '@jest/globals';
import type { CsvRow } from './csv-rows.js';
import { DEFAULT_ID, ImportNames, idOf } from './row-identity.js';
import { Template } from './template.js';

const rowOf = (row: Record<string, string> | undefined, more: Partial<CsvRow> = {}): CsvRow => ({
  ...{
    line: 7,
    fields: Object.values(row ?? { only: 'one' }),
    raw: '',
    recordHash: '',
    bytes: 0,
    row,
  },
  ...more,
});

const id = (source: string, row: CsvRow, occurrence = 1): string | undefined =>
  idOf(Template.parse(source)!, row, occurrence);

const account = (accountId: string, asset = 'EUR') =>
  ({ type: 'OpenAccount', ledger: 'main', accountId, asset, normalSide: 'debit' }) as const;

describe('the id of a row', () => {
  it('may be of columns, its line, its content and how many equal rows came before', () => {
    const row = rowOf({ a: '1', b: 'x' });
    expect(id('{a}/{row.line}', row)).toBe('1/7');
    expect(id('{row.occurrence}', row, 3)).toBe('3');
    expect(id(DEFAULT_ID, row, 2)).toMatch(/^[0-9a-f]{32}-2$/);
    expect(id(DEFAULT_ID, row)).toBe(id(DEFAULT_ID, rowOf({ c: '1', d: 'x' })));
    expect(id(DEFAULT_ID, row)).not.toBe(id(DEFAULT_ID, rowOf({ a: '1x', b: '' })));
  });

  it('is any text, and different where the text is', () => {
    const texts = ['Zürich', 'Z%C3%BCrich', 'Zurich', 'a b', 'a%20b', 'a+b', 'a\u00a0b', '😀', '%'];
    const ids = texts.map((text) => id('{a}', rowOf({ a: text })));
    expect(new Set(ids).size).toBe(texts.length);
    expect(ids[0]).toBe('Z%C3%BCrich');
    for (const each of ids) expect(each).toMatch(/^[!-~]+$/);
  });

  it('cannot be made of nothing, nor of columns that the row does not have', () => {
    expect(id('{a}', rowOf({ a: '' }))).toBeUndefined();
    expect(id('tx-{a}', rowOf({ a: '' }))).toBeUndefined();
    expect(id('{a}{b}', rowOf({ a: '', b: '1' }))).toBe('1');
    expect(id('{a}', rowOf(undefined))).toBeUndefined();
    expect(id(DEFAULT_ID, rowOf(undefined))).toMatch(/-1$/);
  });

  it.each(['constructor', 'toString', '__proto__', 'valueOf'])(
    'is made of a column that is called %s as of any other',
    (name) => {
      expect(id(`{${name}}`, rowOf(undefined))).toBeUndefined();
      expect(id(`{${name}}/${DEFAULT_ID}`, rowOf(undefined))).toMatch(/^%row:/);
      expect(id(`{${name}}`, rowOf({ a: '1' }))).toBeUndefined();
      expect(id(`{${name}}`, rowOf(Object.fromEntries([[name, 'A1']])))).toBe('A1');
    },
  );

  it('that tells the content is made at once, and never of a mended row', () => {
    const broken = rowOf(undefined, { fields: ['1', 'x', 'y'] });
    expect(id(`{a}/${DEFAULT_ID}`, broken, 2)).toMatch(/^%row:[0-9a-f]{32}-2$/);
    const mended = rowOf({ a: '1' }, { givenId: null });
    expect(id(DEFAULT_ID, mended)).toBeUndefined();
    expect(id('{a}/{row.line}', mended)).toBe('1/7');
  });

  it('is none where what it tells is not in the encoding', () => {
    const row = rowOf({ a: '1', text: 'M\ufffdller' });
    expect(id(DEFAULT_ID, row)).toBeUndefined();
    expect(id('{a}-{text}', row)).toBeUndefined();
    expect(id('{a}', row)).toBe('1');
  });

  it('stays what a rejects file says', () => {
    expect(id('{a}', rowOf({ a: 'mended' }, { givenId: 'a%20b' }))).toBe('a%20b');
  });
});

describe('what a row is called in the ledger', () => {
  const names = new ImportNames('m', '1');

  it('has the attempt in its key only', () => {
    expect(names.keyOf('7')).toBe('import:m:row:1:7');
    expect(new ImportNames('m', '2').keyOf('7')).toBe('import:m:row:2:7');
    expect(names.referenceOf('7')).toBe(new ImportNames('m', '2').referenceOf('7'));
  });

  it('is never what another thing is called', () => {
    const keys = [
      new ImportNames('card', '1').keyOf('2025-1'),
      new ImportNames('card-2025', '1').keyOf('1'),
      new ImportNames('card', 'account').keyOf('x'),
      names.keyOf('account:cash'),
      names.accountKeyOf(account('cash')),
      names.accountKeyOf(account('cash', 'JPY')),
      names.accountKeyOf(account('row:1:7')),
      names.keyOf('7'),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('is within the limits of the ledger, and still different where the id is', () => {
    const longest = new ImportNames('m'.repeat(64), 'a'.repeat(64));
    const [one, other] = ['x'.repeat(400), `${'x'.repeat(399)}y`];
    expect(longest.keyOf(one).length).toBeLessThanOrEqual(255);
    expect(longest.referenceOf(one).length).toBeLessThanOrEqual(128);
    expect(longest.accountKeyOf(account('a'.repeat(128))).length).toBeLessThanOrEqual(255);
    expect(longest.keyOf(one)).not.toBe(longest.keyOf(other));
    expect(longest.referenceOf(one)).not.toBe(longest.referenceOf(other));
  });
});

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CsvRow, openCsv } from './csv-rows.js';

const FORMAT = { delimiter: ',', quote: '"', encoding: 'utf8' } as const;

describe('a CSV file', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'csv-'));
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  async function read(content: string | Buffer, format = {}): Promise<CsvRow[]> {
    const path = join(directory, 'file.csv');
    writeFileSync(path, content);
    const file = await openCsv(path, { ...FORMAT, ...format });
    const rows: CsvRow[] = [];
    for await (const row of file.rows) rows.push(row);
    return rows;
  }

  it('gives each row by its columns, with the line where it begins', async () => {
    const rows = await read('\ufeffid,text\r\n1,one\r\n\r\n2,"two\nlines, ""quoted"""\r\n3,three');
    expect(rows.map(({ line, row }) => [line, row])).toEqual([
      [2, { id: '1', text: 'one' }],
      [4, { id: '2', text: 'two\nlines, "quoted"' }],
      [6, { id: '3', text: 'three' }],
    ]);
  });

  it('gives a row with the wrong number of fields as one, so that the next are not lost', async () => {
    const rows = await read('a,b\n1\n2,3\n4,5,6\n');
    expect(rows.map(({ line, fields, row }) => [line, fields.length, row])).toEqual([
      [2, 1, undefined],
      [3, 2, { a: '2', b: '3' }],
      [4, 3, undefined],
    ]);
  });

  it('has other delimiters, quotes and encodings', async () => {
    const content = Buffer.from("a;b\n'x;y';M\xe4rz\n", 'latin1');
    const [row] = await read(content, { delimiter: ';', quote: "'", encoding: 'latin1' });
    expect(row!.row).toEqual({ a: 'x;y', b: 'März' });
  });

  it('gives the text that a row was read from, and its values without the spaces around them', async () => {
    const rows = await read('a,b\r\n 1 ,"x ""y""\r\n "\r\n2,3,4\n5, ');
    expect(rows.map(({ raw, fields, row }) => [raw, fields, row])).toEqual([
      [' 1 ,"x ""y""\r\n "', [' 1 ', 'x "y"\r\n '], { a: '1', b: 'x "y"' }],
      ['2,3,4', ['2', '3', '4'], undefined],
      ['5, ', ['5', ' '], { a: '5', b: '' }],
    ]);
  });

  it('may have a header and no rows', async () => {
    expect(await read('a,b\n')).toEqual([]);
  });

  it.each([
    ['', /is empty/],
    ['\n\n', /is empty/],
    ['a,b,a\n1,2,3\n', /line 1: the column "a" stands twice/],
    ['a,b\n1,2\n3,"four\n5,6\n', /line \d+: .*[Qq]uote/],
    ['a,b\n1,2\n3,fo"ur\n', /line 3: .*[Qq]uote/],
    [`a,b\n1,"${'x'.repeat(1_100_000)}"\n`, /line 2: /],
  ])('is refused with its line when it is none: %j', async (content, message) => {
    await expect(read(content)).rejects.toMatchObject({
      code: 'IMPORT_CSV_INVALID',
      message: expect.stringMatching(message),
    });
  });

  it('that is not there is said to be so', async () => {
    await expect(openCsv(join(directory, 'none.csv'), FORMAT)).rejects.toMatchObject({
      code: 'ENOENT',
    });
  });
});

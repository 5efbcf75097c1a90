import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import iconv from 'iconv-lite';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CsvFile, type CsvFormat, type CsvRow, fromItsEnd, openCsv } from './csv-rows.js';

const FORMAT: CsvFormat = {
  delimiter: ',',
  quote: '"',
  encoding: undefined,
  columns: undefined,
};

describe('a CSV file', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'csv-'));
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  function open(
    content: string | Buffer,
    format: Partial<CsvFormat> = {},
    needed: readonly string[] = [],
  ): Promise<CsvFile> {
    const path = join(directory, 'file.csv');
    writeFileSync(path, content);
    return openCsv(path, { ...FORMAT, ...format }, needed);
  }

  async function read(
    content: string | Buffer,
    format: Partial<CsvFormat> = {},
    needed: readonly string[] = [],
  ): Promise<CsvRow[]> {
    const rows: CsvRow[] = [];
    for await (const row of (await open(content, format, needed)).rows) rows.push(row);
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
    const rows = await read('a,b\r\n 1 ,"x ""y""\r\n "\r\n2,3,4\n5, \n 6 , "x, y" ');
    expect(rows.map(({ raw, fields, row }) => [raw, fields, row])).toEqual([
      [' 1 ,"x ""y""\r\n "', ['1', 'x "y"\r\n '], { a: '1', b: 'x "y"' }],
      ['2,3,4', ['2', '3', '4'], undefined],
      ['5, ', ['5', ''], { a: '5', b: '' }],
      [' 6 , "x, y" ', ['6', 'x, y'], { a: '6', b: 'x, y' }],
    ]);
  });

  it('keeps the tabs of a record of empty fields between them', async () => {
    const rows = await read('a\tb\tc\n \n\t\t\n\n \t \t\r\n\t\tx\n\t\t', { delimiter: '\t' });
    expect(rows.map(({ line, raw, fields }) => [line, raw, fields])).toEqual([
      [3, '\t\t', ['', '', '']],
      [5, ' \t \t', ['', '', '']],
      [6, '\t\tx', ['', '', 'x']],
      [7, '\t\t', ['', '', '']],
    ]);
  });

  it('may have a header and no rows', async () => {
    expect(await read('a,b\n')).toEqual([]);
  });

  it('counts lines by every line end, also those in quotes, and passes over blank ones', async () => {
    const rows = await read('a,b\r\n1,"x\r\ny\rz\n"\r\n\r  \n\r\n2,3\r4,5\n\n6,7');
    expect(rows.map(({ line, raw }) => [line, raw])).toEqual([
      [2, '1,"x\r\ny\rz\n"'],
      [9, '2,3'],
      [10, '4,5'],
      [12, '6,7'],
    ]);
  });

  it('keeps its lines and texts wherever the pieces end in which it is read', async () => {
    const lines = Array.from({ length: 20_000 }, (_, index) => `${index},"é😀\r\n${index}"`);
    const rows = await read(`id,text\r\n${lines.join('\r\n')}\r\n`);
    expect(rows.map(({ raw }) => raw)).toEqual(lines);
    expect(rows.map(({ line }) => line)).toEqual(lines.map((_, index) => 2 + 2 * index));
  });

  describe('encoding', () => {
    const text = 'id,text\n1,März €\n';

    it.each([
      ['UTF-8', undefined, Buffer.from(text), 'utf8'],
      ['UTF-8 with a mark', undefined, Buffer.from(`\ufeff${text}`), 'utf8'],
      ['UTF-16 by its mark', undefined, Buffer.from(`\ufeff${text}`, 'utf16le'), 'utf-16le'],
      [
        'big-endian UTF-16 by its mark',
        'utf8',
        Buffer.from(`\ufeff${text}`, 'utf16le').swap16(),
        'utf-16be',
      ],
      ['UTF-16 without a mark', 'utf16le', Buffer.from(text, 'utf16le'), 'utf16le'],
      ['windows-1252', 'windows-1252', iconv.encode(text, 'windows-1252'), 'windows-1252'],
      [
        'latin1, which has the euro of windows-1252',
        'latin1',
        iconv.encode(text, 'cp1252'),
        'windows-1252',
      ],
      ['latin9', 'iso-8859-15', iconv.encode(text, 'iso-8859-15'), 'iso-8859-15'],
    ])('%s', async (_, encoding, content, known) => {
      const [row] = await read(content, { encoding });
      expect(row!.row).toEqual({ id: '1', text: 'März €' });
      expect((await open(content, { encoding })).encoding).toBe(known);
    });

    it('is U+FFFD where it is not kept', async () => {
      const [row, next] = await read(Buffer.from('id\nM\xe4rz\n2\n', 'latin1'));
      expect([row!.row, next!.row]).toEqual([{ id: 'M\ufffdrz' }, { id: '2' }]);
    });

    it('keeps characters of four bytes at the end of a piece', async () => {
      const content = iconv.encode(`\ufeffid\n${'😀'.repeat(60_000)}\n`, 'utf-16be', {
        addBOM: false,
      });
      expect((await read(content))[0]!.row).toEqual({ id: '😀'.repeat(60_000) });
    });
  });

  describe('header', () => {
    it('is the first line with every column that is needed', async () => {
      const content = 'Account "Giro",DE12\n\nPeriod,November\nid,"the\ntext"\n1,2\n';
      const [row, ...others] = await read(content, {}, ['the\ntext', 'id']);
      expect(row).toMatchObject({ line: 6, row: { id: '1', 'the\ntext': '2' } });
      expect(others).toEqual([]);
    });

    it('may have a column twice that nobody needs', async () => {
      expect(await read('id,x,x\n1,2,3\n', {}, ['id'])).toHaveLength(1);
    });

    it('is not there when the format has the columns', async () => {
      const columns = ['id', 'text'];
      expect((await read('\n1,one\n', { columns }))[0]).toMatchObject({
        ...{ line: 2, row: { id: '1', text: 'one' } },
      });
      expect(await read('id, text\n1,one\n', { columns })).toHaveLength(1);
    });
  });

  describe('has of each record a hash of its bytes', () => {
    const rows = '1,"März ""€"""\n 2 , x \n3,y\n3,y\n';
    const hashes = async (content: string | Buffer, format: Partial<CsvFormat> = {}) =>
      (await read(content, { columns: ['a', 'b'], ...format })).map(({ recordHash }) => recordHash);

    it('that neither marks, columns nor the encoding of the mapping change, nor line ends', async () => {
      const known = await hashes(rows);
      expect(known[0]).toBe(
        createHash('sha256').update('1,"März ""€"""').digest('hex').slice(0, 32),
      );
      expect(new Set(known).size).toBe(3);
      expect(await hashes(`a,b\r\n\r\n${rows.replaceAll('\n', '\r\n')}`)).toEqual(known);
      for (const format of [{ quote: '' }, { delimiter: ';', quote: '' }, { encoding: 'cp850' }])
        expect(await hashes(rows, format)).toEqual(known);
      const latin = iconv.encode(rows, 'cp1252');
      const [first] = await hashes(latin, { encoding: 'cp1252' });
      expect(first).not.toBe(known[0]);
      expect((await hashes(latin, { encoding: 'cp1251' }))[0]).toBe(first);
    });

    it('that is of its text where a byte order mark says the encoding', async () => {
      const known = await hashes(rows);
      for (const encoding of ['utf8', 'utf-16le', 'utf-16be'])
        expect(await hashes(iconv.encode(rows, encoding, { addBOM: true }))).toEqual(known);
    });
  });

  it.each(['utf-16le', 'utf-16be'])(
    'that ends in half a character says so: %s',
    async (encoding) => {
      const content = Buffer.concat([iconv.encode('a,b\n1,2.5', encoding), Buffer.of(0)]);
      expect((await read(content, { encoding }))[0]!.row).toEqual({ a: '1', b: '2.5\ufffd' });
    },
  );

  it('in CESU-8 ends where it ends', async () => {
    expect((await read('a,b\n1,2', { encoding: 'cesu8' }))[0]!.row).toEqual({ a: '1', b: '2' });
  });

  it('may be given from its end', async () => {
    const rows: CsvRow[] = [];
    for await (const row of fromItsEnd(await open('a\n3\n2\n\n1\n')).rows) rows.push(row);
    expect(rows.map(({ line, row }) => [line, row])).toEqual([
      [5, { a: '1' }],
      [3, { a: '2' }],
      [2, { a: '3' }],
    ]);
  });

  it('gives every row before a quote that is never closed, and says where that record begins', async () => {
    const { rows } = await open('a,b\r\n1,"x\r\ny"\r\n\r\n2,"three\r\n4,5\r\n');
    const given: CsvRow[] = [];
    const reading = (async () => {
      for await (const row of rows) given.push(row);
    })();
    await expect(reading).rejects.toMatchObject({
      code: 'IMPORT_CSV_INVALID',
      message: expect.stringContaining('line 5: the record that begins here has a quote'),
    });
    expect(given.map(({ line }) => line)).toEqual([2]);
  });

  it.each([
    ['', /is empty/],
    ['\n\n', /is empty/],
    ['a,b,a\n1,2,3\n', /line 1: the column "a" stands twice/],
    ['b,c\n1,2\n', /line 1: the mapping needs "a", and the columns are "b", "c"/],
    ['a,b\n1,2\n3,"four\n5,6\n', /line 3: .*quote/],
    ['a,b\n1,2\n3,fo"ur\n', /line 3: .*[Qq]uote/],
    [`a,b\n1,"${'x'.repeat(1_100_000)}"\n`, /line 2: /],
  ])('is refused with its line when it is none: %j', async (content, message) => {
    await expect(read(content, {}, ['a'])).rejects.toMatchObject({
      code: 'IMPORT_CSV_INVALID',
      message: expect.stringMatching(message),
    });
  });

  it.each(['', '\ufeff', '\n\n'])(
    'whose columns are given is refused when it is empty: %j',
    async (content) => {
      await expect(read(content, { columns: ['a'] }, ['a'])).rejects.toMatchObject({
        code: 'IMPORT_CSV_INVALID',
        message: expect.stringMatching(/is empty: it has no row$/),
      });
    },
  );

  it('that is not there is said to be so', async () => {
    await expect(openCsv(join(directory, 'none.csv'), FORMAT, [])).rejects.toMatchObject({
      code: 'ENOENT',
    });
  });
});

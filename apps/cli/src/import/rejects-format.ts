import { type CsvFile, type CsvFormat, type CsvRow, rowOf } from './csv-rows.js';
import { REJECT_COLUMNS, isRejects, ownColumns } from './reject-columns.js';
import { readId, visibleText, writtenId } from './row-identity.js';

type Marks = Pick<CsvFormat, 'delimiter' | 'quote'>;

export function recordText(fields: readonly string[], marks: Marks): string {
  return fields.map((field) => fieldText(field, marks)).join(marks.delimiter);
}

/** What stands in front of a row that is not taken. */
export function rejectText(line: number, id: string, reason: string, marks: Marks): string {
  const { delimiter, quote } = marks;
  // Without quotes an id holds no delimiter either, and is still the same id when it is read again.
  const written = quote === '' ? escaped(writtenId(id), delimiter) : writtenId(id);
  return recordText([String(line), written, reason], marks);
}

/**
 * A rejects file as the file that its rows are of: with their own columns, lines and ids, so that a row stays the same row however often it is mended.
 * Every other file is returned as it is.
 */
export function withoutRejectColumns(file: CsvFile, marks: Marks): CsvFile {
  if (!isRejects(file.columns)) return file;
  const columns = ownColumns(file.columns);
  return {
    ...file,
    columns,
    rows: mapRows(file.rows, (row) => originalRow(row, columns, marks)),
    close: () => file.close(),
  };
}

async function* mapRows(
  rows: AsyncIterable<CsvRow>,
  mapped: (row: CsvRow) => CsvRow,
): AsyncGenerator<CsvRow> {
  for await (const row of rows) yield mapped(row);
}

function originalRow(rejected: CsvRow, columns: readonly string[], marks: Marks): CsvRow {
  const { raw, line } = rejected;
  const [importLine = '', importId = ''] = rejected.fields.map((field) => field.trim());
  const fields = rejected.fields.slice(REJECT_COLUMNS.length);
  return {
    ...rejected,
    line: /^[1-9][0-9]{0,14}$/.test(importLine) ? Number(importLine) : line,
    fields,
    raw: afterFields(raw, REJECT_COLUMNS.length, marks),
    row: rowOf(columns, fields),
    givenId: importId === '' ? null : readId(visibleText(idText(importId, marks))),
  };
}

/** The text behind so many fields. */
function afterFields(raw: string, fields: number, { delimiter, quote }: Marks): string {
  let passed = 0;
  let quoted = false;
  for (let at = 0; at < raw.length; at++) {
    // A quote within a field is doubled, which leaves it and comes back.
    if (quote !== '' && raw.startsWith(quote, at)) quoted = !quoted;
    else if (!quoted && raw.startsWith(delimiter, at)) {
      if (++passed === fields) return raw.slice(at + delimiter.length);
      at += delimiter.length - 1;
    }
  }
  return '';
}

function fieldText(text: string, { delimiter, quote }: Marks): string {
  // Each character of a delimiter: the end of a field with its beginning would be one.
  const special = new Set(`${delimiter}${quote}\n\r`);
  if (!Array.from(text).some((character) => special.has(character))) return text;
  if (quote !== '') return `${quote}${text.replaceAll(quote, quote + quote)}${quote}`;
  // Without quotes nothing can hold a delimiter, and of a reason none is missed.
  const blank = delimiter.includes(' ') ? '_' : ' ';
  return Array.from(text, (character) => (special.has(character) ? blank : character)).join('');
}

/** With its characters that the delimiter has percent-encoded. Of those no id has an encoded one already: it has them as they are. */
function escaped(id: string, delimiter: string): string {
  return Array.from(id, (character) =>
    delimiter.includes(character) ? hexText(character) : character,
  ).join('');
}

function idText(written: string, { delimiter, quote }: Marks): string {
  if (quote !== '') return written;
  const ascii = Array.from(delimiter).filter((character) => character <= '~');
  return ascii.reduce((text, each) => text.replaceAll(hexText(each), each), written);
}

function hexText(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}

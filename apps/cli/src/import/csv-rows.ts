import { createHash } from 'node:crypto';
import { type CsvBeginning, HEADER_LINES_MAX, beginningOf, beginningWith } from './csv-header.js';
import { type CsvMarks, recordsOf } from './csv-records.js';
import { type CsvText, bytesOf, openText } from './csv-text.js';
import { ImportError } from './import.errors.js';
import { REJECT_COLUMNS, isMoved, ownColumns } from './reject-columns.js';
import { fromTheEnd } from './row-spool.js';
import { shown, shownList } from './shown.js';
import type { Row } from './template.js';

export interface CsvFormat extends CsvMarks {
  /** Undefined: by the byte order mark, or UTF-8. */
  readonly encoding: string | undefined;
  /** Of a file without a header. */
  readonly columns: readonly string[] | undefined;
}

export interface CsvRow {
  /** Where it begins in the file, whose first line is 1. */
  readonly line: number;
  /** As they were read, without spaces around them that are not in quotes. */
  readonly fields: readonly string[];
  /** The text that they were read from, without its line end. */
  readonly raw: string;
  /** Of the record as its bytes stand in the file, so that it is the same however these are read; of its text in UTF-8 where a byte order mark says the encoding. */
  readonly recordHash: string;
  /** Bytes of the file that were read so far. */
  readonly bytes: number;
  /** By column, without spaces around; undefined when the number of fields is not that of the header. */
  readonly row: Row | undefined;
  /** Of a row of a rejects file: the id that it had in the file it comes from, null where it had none. */
  readonly givenId?: string | null;
}

export interface CsvFile {
  readonly columns: readonly string[];
  /** What it is written in, as iconv-lite calls it, and whether a byte order mark says so. */
  readonly encoding: string;
  readonly byteOrderMark: boolean;
  /** Ending the iteration early closes the file. */
  readonly rows: AsyncIterable<CsvRow>;
  close(): Promise<void>;
}

/**
 * Reads a CSV file row by row in constant memory. Throws `IMPORT_CSV_INVALID` with the line for what is no CSV, and for a file without the columns
 * that are needed; a row with the wrong number of fields is the caller's to refuse.
 */
export async function openCsv(
  path: string,
  format: CsvFormat,
  needed: readonly string[],
): Promise<CsvFile> {
  const text = await openText(path, format.encoding);
  const table = await tableOf(path, text, format, needed);
  const rows = rowsOf(path, text, table, format);
  return {
    columns: table.columns,
    encoding: text.encoding,
    byteOrderMark: text.byteOrderMark,
    rows,
    close: async () => {
      await table.pieces.return(undefined);
      // Of pieces that nobody has asked for yet the end reaches nothing.
      await text.pieces.return(undefined);
    },
  };
}

/** 128 bits: of 10^9 rows no two meet. */
const HASH_HEX_DIGITS = 32;

/** The same file with its last row first, which is read when the first is asked for. */
export function fromItsEnd(file: CsvFile): CsvFile {
  return { ...file, rows: countedAgain(fromTheEnd(file.rows)), close: () => file.close() };
}

/** Bytes from the end. */
async function* countedAgain(rows: AsyncIterable<CsvRow>): AsyncGenerator<CsvRow> {
  let bytesTotal: number | undefined;
  for await (const row of rows) {
    bytesTotal ??= row.bytes;
    yield { ...row, bytes: bytesTotal - row.bytes };
  }
}

async function tableOf(
  path: string,
  { pieces }: CsvText,
  format: CsvFormat,
  needed: readonly string[],
): Promise<CsvBeginning> {
  const { columns: given } = format;
  const found = given
    ? await beginningWith(pieces, format, given)
    : await beginningOf(pieces, format, needed);
  if (!('columns' in found)) {
    const { first } = found;
    if (first !== undefined && isMoved(first.fields)) throw movedInvalid(path, first.line);
    if (first === undefined)
      throw csvInvalid(path, undefined, `is empty: it has no ${given ? 'row' : 'header line'}`);
    const missing = needed.filter((column) => !first.fields.includes(column));
    throw csvInvalid(
      path,
      first.line,
      `the mapping needs ${shownList(missing)}, and the columns are ${shownList(first.fields)}; no line up to ${HEADER_LINES_MAX} has all that it needs`,
    );
  }
  const { line } = found;
  if (isMoved(found.first)) {
    await pieces.return(undefined);
    throw movedInvalid(path, line);
  }
  if (given) return found;
  const columns = ownColumns(found.columns);
  const twice = needed.find((name) => columns.indexOf(name) !== columns.lastIndexOf(name));
  if (twice === undefined) return found;
  await pieces.return(undefined);
  throw csvInvalid(
    path,
    line,
    `the column ${shown(twice)} stands twice in the header, and the mapping names it`,
  );
}

async function* rowsOf(
  path: string,
  text: CsvText,
  { line, columns, headed, pieces }: CsvBeginning,
  format: CsvFormat,
): AsyncGenerator<CsvRow> {
  let isHeader = headed;
  for await (const record of recordsOf(pieces, format, { path, line })) {
    const { fields } = record;
    if (!isHeader)
      yield {
        ...record,
        recordHash: hashOf(bytesOf(record.raw, text)),
        bytes: text.bytes,
        row: rowOf(columns, fields),
      };
    isHeader = false;
  }
}

/** Undefined when they are not as many. */
export function rowOf(columns: readonly string[], fields: readonly string[]): Row | undefined {
  if (fields.length !== columns.length) return undefined;
  return Object.fromEntries(columns.map((name, index) => [name, fields[index]?.trim() ?? '']));
}

function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, HASH_HEX_DIGITS);
}

function csvInvalid(path: string, line: number | undefined, problem: string): ImportError {
  const place = line === undefined ? `${path} ` : `${path}, line ${line}: `;
  return new ImportError('IMPORT_CSV_INVALID', `${place}${problem}`, { file: path, line });
}

function movedInvalid(path: string, line: number): ImportError {
  return csvInvalid(
    path,
    line,
    `the first columns are not ${REJECT_COLUMNS.join(',')}, as an import writes them and csv.delimiter separates them: put them back; in a file that is none of its rejects, give them other names`,
  );
}

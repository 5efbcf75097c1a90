import { createReadStream } from 'node:fs';
import { CsvError, type Info, parse } from 'csv-parse';
import { ImportError } from './import.errors.js';
import type { Row } from './template.js';

export interface CsvFormat {
  readonly delimiter: string;
  readonly quote: string;
  readonly encoding: 'utf8' | 'latin1';
}

export interface CsvRow {
  /** Where it begins in the file; the header is line 1. */
  readonly line: number;
  /** As they were read. */
  readonly fields: readonly string[];
  /** The text that they were read from, without its line end. */
  readonly raw: string;
  /** Bytes of the file up to its end. */
  readonly bytes: number;
  /** By column, without spaces around; undefined when the number of fields is not that of the header. */
  readonly row: Row | undefined;
  /** Of a row of a rejects file: the id that it had in the file it comes from. */
  readonly givenId?: string | undefined;
}

export interface CsvFile {
  readonly columns: readonly string[];
  /** Ending the iteration early closes the file. */
  readonly rows: AsyncIterable<CsvRow>;
  close(): Promise<void>;
}

/** A quote that is never closed would otherwise take the rest of the file for one field. */
const RECORD_BYTES_MAX = 1024 * 1024;

/**
 * Reads a CSV file row by row in constant memory. Throws `IMPORT_CSV_INVALID` with the line for what is no CSV; a row
 * with the wrong number of fields is the caller's to refuse.
 */
export async function openCsv(path: string, format: CsvFormat): Promise<CsvFile> {
  const records = recordsOf(path, format);
  const header = await records.next();
  if (header.done === true)
    throw new ImportError('IMPORT_CSV_INVALID', `${path} is empty: it has no header line`, {
      file: path,
    });
  const columns = header.value.record.map((name) => name.trim());
  const twice = columns.find((name, index) => columns.indexOf(name) !== index);
  const close = async (): Promise<void> => {
    await records.return(undefined);
  };
  if (twice !== undefined) {
    await close();
    throw new ImportError(
      'IMPORT_CSV_INVALID',
      `${path}, line 1: the column ${JSON.stringify(twice)} stands twice in the header`,
      { file: path, line: 1 },
    );
  }
  return { columns, rows: rowsOf(records, columns), close };
}

interface ParsedRecord {
  readonly record: readonly string[];
  readonly raw: string;
  readonly info: Info;
}

async function* rowsOf(
  records: AsyncGenerator<ParsedRecord>,
  columns: readonly string[],
): AsyncGenerator<CsvRow> {
  for await (const { record, raw, info } of records) {
    const within = record.reduce(
      (lines, field) => lines + (field.match(/\r\n|\n|\r/g)?.length ?? 0),
      0,
    );
    const complete = record.length === columns.length;
    yield {
      line: info.lines - within,
      fields: record,
      raw: raw.replace(/(\r\n|\n|\r)$/, ''),
      bytes: info.bytes,
      row: complete
        ? Object.fromEntries(columns.map((column, index) => [column, record[index]?.trim() ?? '']))
        : undefined,
    };
  }
}

async function* recordsOf(path: string, format: CsvFormat): AsyncGenerator<ParsedRecord> {
  const { delimiter, quote, encoding } = format;
  const input = createReadStream(path);
  const parser = parse({
    delimiter,
    quote: quote === '' ? null : quote,
    encoding,
    bom: encoding === 'utf8',
    info: true,
    raw: true,
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: RECORD_BYTES_MAX,
  });
  input.on('error', (error) => parser.destroy(error));
  input.pipe(parser);
  try {
    for await (const parsed of parser) yield parsed as ParsedRecord;
  } catch (error) {
    throw csvError(path, error);
  } finally {
    input.destroy();
  }
}

function csvError(path: string, error: unknown): unknown {
  if (!(error instanceof CsvError)) return error;
  const line = 'lines' in error ? Number(error.lines) : undefined;
  return new ImportError(
    'IMPORT_CSV_INVALID',
    `${path}${line === undefined ? '' : `, line ${line}`}: ${error.message}`,
    { file: path, line },
    { cause: error },
  );
}

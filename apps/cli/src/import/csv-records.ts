import { CsvError, type Info, parse } from 'csv-parse';
import { parse as parseNow } from 'csv-parse/sync';
import { ImportError } from './import.errors.js';

export interface CsvMarks {
  readonly delimiter: string;
  /** Empty for none. */
  readonly quote: string;
}

/** A record of a file, with its place in it. */
export interface CsvRecord {
  /** Where it begins. */
  readonly line: number;
  /** As they were read, without spaces around them that are not in quotes. */
  readonly fields: readonly string[];
  /** The text that they were read from, without its line end. */
  readonly raw: string;
}

/** A quote that is never closed would otherwise take the rest of the file for one field. */
const RECORD_BYTES_MAX = 1024 * 1024;

/**
 * The records of a text that begins at that line of the file; empty lines count as lines and are none. Throws `IMPORT_CSV_INVALID`, with the line
 * where the record begins that is none, behind every record before it.
 */
export async function* recordsOf(
  pieces: AsyncIterable<string>,
  marks: CsvMarks,
  { path, line }: { readonly path: string; readonly line: number },
): AsyncGenerator<CsvRecord> {
  const cutter = new RecordCutter(line);
  const parsed: Parsed[] = [];
  // Taken from the callback: what a parser has put out already is lost when it fails.
  const parser = parse({
    ...optionsOf(marks),
    on_record: (record: unknown) => {
      parsed.push(record as Parsed);
      return null;
    },
  });
  parser.on('error', () => undefined);
  const fed = (feed: (done: (error?: Error | null) => void) => void): Promise<unknown> =>
    new Promise((resolve) => feed(resolve));
  let failure: unknown;
  for await (const piece of pieces) {
    const bytes = Buffer.from(piece);
    if (bytes.length === 0) continue;
    cutter.add(bytes);
    failure = await fed((done) => parser.write(bytes, done));
    for (const each of parsed.splice(0)) yield cutter.cut(each);
    if (failure !== undefined && failure !== null) break;
  }
  failure ??= await fed((done) => parser.end(done));
  for (const each of parsed.splice(0)) yield cutter.cut(each);
  if (failure !== undefined && failure !== null) throw csvError(path, cutter.nextLine(), failure);
}

/** The fields of the record that begins a text; undefined when it is none, or not there whole. */
export function firstFields(text: string, marks: CsvMarks): readonly string[] | undefined {
  try {
    const [first] = parseNow(text, { ...optionsOf(marks), to: 1 }) as unknown as Parsed[];
    return first?.record;
  } catch (error) {
    if (error instanceof CsvError) return undefined;
    throw error;
  }
}

export const LINE_END = /\r\n|\n|\r/g;

interface Parsed {
  readonly record: readonly string[];
  readonly info: Info;
}

function optionsOf({ delimiter, quote }: CsvMarks) {
  return {
    delimiter,
    quote: quote === '' ? null : quote,
    escape: quote === '' ? null : quote,
    info: true,
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    skip_empty_lines: true,
    // Also around quotes: they would not be quotes otherwise.
    trim: true,
    max_record_size: RECORD_BYTES_MAX,
  };
}

/** Cuts the text of each record out of the bytes that the parser was fed, and counts the lines before it. */
class RecordCutter {
  private pending = Buffer.alloc(0);
  private pendingAt = 0;

  constructor(private line: number) {}

  add(bytes: Buffer): void {
    this.pending = Buffer.concat([this.pending, bytes]);
  }

  cut({ record, info }: Parsed): CsvRecord {
    const length = info.bytes - this.pendingAt;
    const text = this.pending.toString('utf8', 0, length);
    this.pending = this.pending.subarray(length);
    this.pendingAt = info.bytes;
    const lines = text.replace(/(?:\r\n|\n|\r)$/, '');
    const empty = emptyLinesOf(lines);
    const line = this.line + lineEnds(empty);
    this.line += lineEnds(text);
    return { line, fields: record, raw: lines.slice(empty.length) };
  }

  /** Where the record begins that comes next. */
  nextLine(): number {
    return this.line + lineEnds(emptyLinesOf(this.pending.toString('utf8')));
  }
}

/** At its beginning, with the blanks in them, of which the parser knows the same. */
function emptyLinesOf(text: string): string {
  return /^(?:[^\S\r\n]*(?:\r\n|\n|\r))*/.exec(text)?.[0] ?? '';
}

function lineEnds(text: string): number {
  return text.match(LINE_END)?.length ?? 0;
}

function csvError(path: string, line: number, error: unknown): unknown {
  if (!(error instanceof CsvError)) return error;
  return new ImportError(
    'IMPORT_CSV_INVALID',
    `${path}, line ${line}: ${problemOf(error)}`,
    { file: path, line },
    { cause: error },
  );
}

function problemOf({ code, message }: CsvError): string {
  if (code === 'CSV_QUOTE_NOT_CLOSED')
    return 'the record that begins here has a quote that is never closed';
  if (code === 'CSV_MAX_RECORD_SIZE')
    return `the record that begins here has more than ${RECORD_BYTES_MAX} bytes; perhaps a quote is never closed`;
  // What follows is the line as the parser counts it.
  return `in the record that begins here: ${message.replace(/ (?:at|on) line [0-9]+/, '')}`;
}

import { type CsvMarks, LINE_END, firstFields } from './csv-records.js';
import { ownColumns } from './reject-columns.js';

/** Most lines before the header, and the header itself. */
export const HEADER_LINES_MAX = 100;
/** As much is looked at in any case, so that a header in the last of these lines is there whole. */
const HEAD_CHARACTERS_MIN = 64 * 1024;
const HEAD_CHARACTERS_MAX = 1024 * 1024;

/** Where the records of a file begin, and its text from there. */
export interface CsvBeginning {
  readonly line: number;
  readonly columns: readonly string[];
  /** The fields of its first record. */
  readonly first: readonly string[];
  /** Whether that is the header. */
  readonly headed: boolean;
  readonly pieces: AsyncGenerator<string>;
}

/** The first record that there is; undefined in a file without any. */
export interface NoHeader {
  readonly first: { readonly line: number; readonly fields: readonly string[] } | undefined;
}

/** The header is the first record with every column that is needed, and what stands before it is no part of the table. */
export async function beginningOf(
  pieces: AsyncGenerator<string>,
  marks: CsvMarks,
  needed: readonly string[],
): Promise<CsvBeginning | NoHeader> {
  const head = await headOf(pieces);
  let first: NoHeader['first'];
  for (const { line, at } of lineBeginnings(head)) {
    const columns = columnsAt(head.slice(at), marks);
    if (columns === undefined) continue;
    if (needed.every((name) => ownColumns(columns).includes(name)))
      return {
        line,
        first: columns,
        columns,
        headed: true,
        pieces: joined(head.slice(at), pieces),
      };
    first ??= { line, fields: columns };
  }
  await pieces.return(undefined);
  return { first };
}

/** Of a file whose columns the mapping gives; if its first record ends with them all the same, that is the header. */
export async function beginningWith(
  pieces: AsyncGenerator<string>,
  marks: CsvMarks,
  columns: readonly string[],
): Promise<CsvBeginning | NoHeader> {
  const head = await headOf(pieces);
  const text = head.replace(/^[\r\n]+/, '');
  if (text === '') {
    await pieces.return(undefined);
    return { first: undefined };
  }
  const first = columnsAt(text, marks) ?? [];
  const headed = columns.every((name, index) => name.trim() === first.at(index - columns.length));
  // Those of rejects in front, and these as the mapping calls them.
  const front = headed ? first.slice(0, first.length - columns.length) : [];
  return {
    ...{ line: 1, first, columns: [...front, ...columns], headed },
    pieces: joined(head, pieces),
  };
}

function columnsAt(text: string, marks: CsvMarks): readonly string[] | undefined {
  return /^(?:[\r\n]|$)/.test(text)
    ? undefined
    : firstFields(text, marks)?.map((name) => name.trim());
}

async function headOf(pieces: AsyncGenerator<string>): Promise<string> {
  let head = '';
  while (head.length < HEAD_CHARACTERS_MAX) {
    const next = await pieces.next();
    if (next.done === true) break;
    head += next.value;
    if (
      head.length >= HEAD_CHARACTERS_MIN &&
      (head.match(LINE_END)?.length ?? 0) > HEADER_LINES_MAX
    )
      break;
  }
  return head;
}

function* lineBeginnings(text: string): Generator<{ line: number; at: number }> {
  yield { line: 1, at: 0 };
  let line = 1;
  for (const { index, 0: lineEnd } of text.matchAll(LINE_END)) {
    if (++line > HEADER_LINES_MAX) return;
    yield { line, at: index + lineEnd.length };
  }
}

async function* joined(head: string, pieces: AsyncGenerator<string>): AsyncGenerator<string> {
  try {
    yield head;
    yield* pieces;
  } finally {
    await pieces.return(undefined);
  }
}

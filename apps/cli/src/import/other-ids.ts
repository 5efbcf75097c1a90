import { errorCode } from '@holdfast/kernel';
import type { CsvFile, CsvRow } from './csv-rows.js';
import { readMappingFile } from './mapping-file.js';
import type { MappingFile } from './mapping-schema.js';
import type { Mapping } from './mapping.js';
import { countsRows, hashOf, idOf } from './row-identity.js';
import { RowMapper } from './row-mapper.js';
import { SeenRows } from './seen-rows.js';
import { shown } from './shown.js';

/** What of a mapping may give a row another id. */
const MEMBERS: Readonly<Record<string, (file: MappingFile) => unknown>> = {
  'csv.encoding': ({ csv }) => csv.encoding,
  'csv.quote': ({ csv }) => csv.quote,
  'csv.delimiter': ({ csv }) => csv.delimiter,
  'csv.columns': ({ csv }) => csv.columns,
  'row.id': ({ row }) => row.id,
};

/** As messages name them: `csv.quote was "", and is "'"`. */
export function readingChanges(before: Mapping, now: Mapping): readonly string[] {
  const [fileBefore, fileNow] = [before, now].map(({ name, text }) => readMappingFile(name, text));
  return Object.entries(MEMBERS).flatMap(([member, of]) => {
    const [was, is] = [fileBefore, fileNow].map((file) => file && valueText(of(file)));
    return was === is ? [] : [`${member} was ${was}, and is ${is}`];
  });
}

function valueText(value: unknown): string {
  if (value === undefined) return 'not given';
  return typeof value === 'string' ? shown(value) : JSON.stringify(value);
}

/**
 * Of the first row that may be posted under the one mapping, and has another id under the other, or is no row there. A row that was refused may be too, from the rejects file. A row is known by its bytes, which no mapping changes:
 * that its id is another row's now does not help it. Undefined when there is none.
 */
export async function lineWithOtherId(
  before: Mapping,
  now: Mapping,
  file: { readonly ledger: string; readonly open: (mapping: Mapping) => Promise<CsvFile> },
): Promise<number | undefined> {
  const ids = new SeenRows();
  try {
    for await (const { row, occurrence } of counted(await file.open(now), now)) {
      const id = idOf(now.row.id, row, occurrence);
      if (id !== undefined) ids.earlierLine('id', rowWith(id, row), row.line);
    }
    const opened = await file.open(before).catch(passOverInvalid);
    if (opened === undefined) return undefined;
    const mapper = new RowMapper(before, file.ledger);
    for await (const { row, occurrence } of counted(opened, before)) {
      const mapped = mapper.map(row, occurrence);
      if (mapped.kind === 'skipped' || mapped.id === undefined) continue;
      if (ids.earlierLine('id', rowWith(mapped.id, row), row.line) === undefined) return row.line;
    }
    return undefined;
  } finally {
    ids.close();
  }
}

const rowWith = (id: string, { recordHash }: CsvRow): string => `${recordHash} ${id}`;

interface CountedRow {
  readonly row: CsvRow;
  readonly occurrence: number;
}

/** Up to where the file can be read: what stands behind is not posted. */
async function* counted(file: CsvFile, { row: { id } }: Mapping): AsyncGenerator<CountedRow> {
  const seen = new SeenRows();
  try {
    for await (const row of file.rows)
      yield { row, occurrence: countsRows(id) ? seen.occurrence(hashOf(row.fields)) : 1 };
  } catch (error) {
    passOverInvalid(error);
  } finally {
    seen.close();
  }
}

/** What is no CSV, or has not the columns. */
function passOverInvalid(error: unknown): undefined {
  if (errorCode(error) !== 'IMPORT_CSV_INVALID') throw error;
}

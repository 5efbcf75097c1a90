import { errorCode } from '@holdfast/kernel';
import type { CsvFile, CsvRow } from './csv-rows.js';
import { isSameEncoding } from './csv-text.js';
import { readMappingFile } from './mapping-file.js';
import type { MappingFile } from './mapping-schema.js';
import type { Mapping } from './mapping.js';
import { countsRows, hashOf, idOf, toldBy } from './row-identity.js';
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
function readingChanges(before: Mapping, now: Mapping): string[] {
  return Object.entries(MEMBERS).flatMap(([member, of]) => changeOf(member, of, before, now) ?? []);
}

/** A row that was refused and mended is known by its reference, when the file has it under a mapping that takes it. */
function referenceLosses(earlier: readonly Mapping[], now: Mapping): readonly string[] {
  return earlier.flatMap((before) => {
    const change = changeOf('row.reference', ({ row }) => row.reference, before, now);
    const isNone = now.row.reference === undefined && before.text !== now.text;
    return change ?? (isNone ? 'row.reference is null' : []);
  });
}

function changeOf(
  member: string,
  of: (file: MappingFile) => unknown,
  ...mappings: readonly [Mapping, Mapping]
): string | undefined {
  const [was, is] = mappings.map(({ name, text }) => valueText(of(readMappingFile(name, text))));
  return was === is ? undefined : `${member} was ${was}, and is ${is}`;
}

function valueText(value: unknown): string {
  if (value === undefined) return 'not given';
  return typeof value === 'string' ? shown(value) : JSON.stringify(value);
}

export interface EarlierReading {
  readonly mapping: Mapping;
  readonly encoding: string;
  /** By these, rows that it refuses may be posted from rejects files, mended. */
  readonly mendedUnder: readonly Mapping[];
}

export interface RowsOfFile {
  readonly ledger: string;
  readonly open: (mapping: Mapping) => Promise<CsvFile>;
}

export interface OtherId {
  /** Of the row. */
  readonly line: number;
  readonly changes: readonly string[];
}

/**
 * The first row that may be posted under an earlier reading, and has another id now, or is no row any more. Undefined when there is none.
 *
 * A row is known by its bytes, which no mapping changes: that its id is another row's now does not help it. One that was refused may be posted too, from the rejects file, under its id or, where it had
 * none, under one that nobody knows; with another reference, or none, it is posted again where the mapping takes it now. Where the file itself is in another encoding since, as a byte order mark says, nobody knows what the earlier reading made of a letter that is not ASCII.
 */
export async function otherId(
  earlier: EarlierReading,
  now: Mapping,
  { ledger, open }: RowsOfFile,
): Promise<OtherId | undefined> {
  const { mapping: before, encoding, mendedUnder } = earlier;
  const file = await open(now);
  const changes = readingChanges(before, now);
  if (!isSameEncoding(file.encoding, encoding))
    changes.push(`it was read in ${encoding}, and is in ${file.encoding}`);
  const [loss] = mendedUnder.length === 0 ? [] : referenceLosses([before, ...mendedUnder], now);
  if (loss !== undefined) changes.push(loss);
  if (changes.length === 0) {
    await file.close();
    return undefined;
  }
  const again = await open(before).catch(passOverInvalid);
  const isInOther = !isSameEncoding((again ?? file).encoding, encoding);
  const line = await lineOf(earlier, {
    ...{ now, ledger, open, file, again, isInOther, losesReference: loss !== undefined },
  });
  return line === undefined ? undefined : { line, changes };
}

interface TwoReadings extends RowsOfFile {
  readonly now: Mapping;
  readonly file: CsvFile;
  /** As it was read. Undefined where it cannot be read so any more. */
  readonly again: CsvFile | undefined;
  readonly isInOther: boolean;
  /** Whether rows that were refused and mended are known no more. */
  readonly losesReference: boolean;
}

async function lineOf(
  { mapping: before, mendedUnder }: EarlierReading,
  { now, ledger, open, file, again, isInOther, losesReference }: TwoReadings,
): Promise<number | undefined> {
  const rows = { now: new SeenRows(), before: new SeenRows() };
  try {
    for await (const { row, occurrence } of counted(file, now)) {
      const isMade = typeof row.givenId !== 'string';
      if (isInOther && isMade && toldBy(now.row.id, row).some(isBeyondAscii)) return row.line;
      const id = idOf(now.row.id, row, occurrence);
      if (id !== undefined) rows.now.earlierLine('id', rowWith(id, row), row.line);
    }
    if (again === undefined) return undefined;
    const mapper = { before: new RowMapper(before, ledger), now: new RowMapper(now, ledger) };
    let hasUnknown = false;
    for await (const { row, occurrence } of counted(again, before)) {
      const mapped = mapper.before.map(row, occurrence);
      if (mapped.kind === 'skipped') continue;
      const isUnknown = mapped.id === undefined || (losesReference && mapped.kind === 'refused');
      hasUnknown ||= isUnknown;
      if (mapped.id === undefined) continue;
      const known = rowWith(mapped.id, row);
      if (!rows.now.has('id', known)) return row.line;
      if (!isUnknown) rows.before.earlierLine('id', known, row.line);
    }
    if (!hasUnknown || mendedUnder.length === 0) return undefined;
    // Mended, it has an id or a reference that nobody knows, and its bytes are not known where they could not be read. So it may be each row that only this reading takes.
    for await (const { row, occurrence } of counted(await open(now), now)) {
      const mapped = mapper.now.map(row, occurrence);
      if (mapped.kind === 'transfer' && !rows.before.has('id', rowWith(mapped.id, row)))
        return row.line;
    }
    return undefined;
  } finally {
    rows.now.close();
    rows.before.close();
    await again?.close();
  }
}

const isBeyondAscii = (text: string): boolean => /[\u0080-\uffff]/.test(text);

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

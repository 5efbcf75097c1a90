import { createHash } from 'node:crypto';
import { KEY_CHARACTERS_MAX } from '@holdfast/commands/reading';
import { type OpenAccount, REFERENCE_CHARACTERS_MAX } from '@holdfast/ledger';
import type { CsvRow } from './csv-rows.js';
import { UNDECODED } from './csv-text.js';
import { type Row, type Template, fieldOf } from './template.js';

/** Of a mapping and of an attempt: no colon, so that what keys and references are made of stays apart. */
export const nameRule = {
  pattern: /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/,
  problem: 'must be 1 to 64 letters, digits, "_", "." or "-", starting with a letter or digit',
  accepts: (value: unknown) => typeof value === 'string' && nameRule.pattern.test(value),
};

/** What `row.id` may use besides columns. */
export const ROW_TOKENS = ['row.line', 'row.hash', 'row.occurrence'] as const;

/** The id of a row when the mapping gives none: its content, and which of the equal rows it is. */
export const DEFAULT_ID = '{row.hash}-{row.occurrence}';

/** 128 bits: of 10^9 rows no two meet. */
const HASH_HEX_DIGITS = 32;

/** Of what the row says, not of its bytes: it is the same row when a spreadsheet saves the file with other quotes, delimiters, line ends or spaces around. */
export function hashOf(fields: readonly string[]): string {
  const said = fields.map((field) => withLineFeeds(field.trim()));
  const hash = createHash('sha256').update(JSON.stringify(said));
  return hash.digest('hex').slice(0, HASH_HEX_DIGITS);
}

/** Line ends within a text are another program's, and say nothing. */
export function withLineFeeds(text: string): string {
  return text.replace(/\r\n?/g, '\n');
}

/** Whether equal rows have to be counted. */
export function countsRows({ columns }: Template): boolean {
  return columns.includes('row.occurrence');
}

/** Whether the id of a row is another once the row is mended. */
export function tellsContent({ columns }: Template): boolean {
  return columns.includes('row.hash') || columns.includes('row.occurrence');
}

/** In front of the id that another row of the file has: nothing is posted under it. */
const TAKEN = '%taken:';

export function takenId(id: string): string {
  return `${TAKEN}${id}`;
}

export function isTaken(id: string): boolean {
  return id.startsWith(TAKEN);
}

/** A long number as a spreadsheet saves it: the digits behind are lost, and other numbers have the same ones in front. */
const SHORTENED_NUMBER = /^[1-9](?:[.,][0-9]+)?E\+[0-9]{2,3}$/;
/** In front of an id that a spreadsheet has made so, and … */
const SHORTENED = '%shortened:';
/** … of one that was so in the file itself. */
const AS_IT_IS = '%is:';

/** The id of a row as a rejects file has it. */
export function writtenId(id: string): string {
  return SHORTENED_NUMBER.test(id) ? `${AS_IT_IS}${id}` : id;
}

export function readId(written: string): string {
  if (SHORTENED_NUMBER.test(written)) return `${SHORTENED}${written}`;
  return written.startsWith(AS_IT_IS) ? written.slice(AS_IT_IS.length) : written;
}

/** Why nothing can be posted under an id. */
export function idFault(id: string): string | undefined {
  if (isTaken(id))
    return `${id} is the id of another row, or of this one as it is posted; give it one that no other row has only if it is to be posted besides`;
  if (!id.startsWith(SHORTENED)) return undefined;
  const number = id.slice(SHORTENED.length);
  return `${number} is how a spreadsheet shortens a long number; give it back the id that the import wrote, or ${AS_IT_IS}${number} if it was that`;
}

/** What of a row its id tells. */
export function toldBy(
  template: Template,
  { row = {}, fields }: Pick<CsvRow, 'row' | 'fields'>,
): readonly string[] {
  return tellsContent(template) ? fields : template.columns.map((column) => fieldOf(row, column));
}

/**
 * The row's id as visible ASCII (percent-encoded), which keys, references and rejects files have; ids that differ stay different. Undefined when it cannot be made:
 * it needs a column, and the row has not the fields of the header, or all that it needs are empty, or what it tells is not in the encoding: read in the right
 * one, the row would have another.
 *
 * Where the id tells the content it is made at once or never: of the mended row it might be that of an equal row that was posted. So a row that has not the
 * fields of the header is called by those that it has.
 */
export function idOf(
  template: Template,
  { row, fields, line, givenId }: CsvRow,
  occurrence: number,
): string | undefined {
  if (typeof givenId === 'string') return givenId;
  if (givenId === null && tellsContent(template)) return undefined;
  const own: Row = {
    'row.line': String(line),
    'row.hash': hashOf(fields),
    'row.occurrence': String(occurrence),
  };
  const values = { ...row, ...own };
  const { columns } = template;
  if (toldBy(template, { row, fields }).some((text) => text.includes(UNDECODED))) return undefined;
  if (template.isEmptyIn(values)) return undefined;
  if (row === undefined && columns.some((column) => !Object.hasOwn(own, column)))
    return tellsContent(template) ? `%row:${hashOf(fields)}-${occurrence}` : undefined;
  const id = template.render(values);
  return id === '' ? undefined : visibleText(id.replaceAll('%', '%25'));
}

/** Percent-encoded where it is no visible ASCII. */
export function visibleText(text: string): string {
  return text.replace(/[^!-~]/gu, (character) =>
    [...Buffer.from(character)].map((byte) => `%${hexOf(byte)}`).join(''),
  );
}

/** What a row and its accounts are called in the ledger. No two names of different things are alike, whatever they are made of. */
export class ImportNames {
  constructor(
    /** Without a colon, as the attempt. */
    private readonly mapping: string,
    private readonly attempt: string,
  ) {}

  keyOf(id: string): string {
    return fitted(`import:${this.mapping}:row:${this.attempt}:`, id, KEY_CHARACTERS_MAX);
  }

  /** The same for every attempt: the ledger takes it once, for ever. */
  referenceOf(id: string): string {
    return fitted(`import:${this.mapping}:`, id, REFERENCE_CHARACTERS_MAX);
  }

  /** Whether it is the reference of a row of this mapping. */
  isOwn(reference: string): boolean {
    return reference.startsWith(`import:${this.mapping}:`);
  }

  /** Another command about the same account is decided for itself. */
  accountKeyOf(command: OpenAccount): string {
    return `import:${this.mapping}:account:${command.accountId ?? ''}:${digestOf(JSON.stringify(command))}`;
  }
}

function hexOf(byte: number): string {
  return byte.toString(16).toUpperCase().padStart(2, '0');
}

/** Every percent sign in what a row says stands before two hexadecimal digits, so no such id looks like the digest of one, or like one that is taken. */
function fitted(prefix: string, id: string, charactersMax: number): string {
  const whole = `${prefix}${id}`;
  return whole.length <= charactersMax ? whole : `${prefix}%sha256:${digestOf(id)}`;
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

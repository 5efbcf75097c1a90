import type { Side } from '@holdfast/ledger';
import type { Sign } from './amount.js';
import type { CsvFormat } from './csv-rows.js';
import { isEncoding } from './csv-text.js';
import { DateFormat } from './date-format.js';
import { mappingRefusal, readMappingFile } from './mapping-file.js';
import type { AccountFile, AmountFile, MappingFile, RuleFile } from './mapping-schema.js';
import { type AmountMapping, amountColumns } from './row-amount.js';
import { shown } from './shown.js';
import { ROW_TOKENS } from './row-identity.js';
import { Template } from './template.js';
import { type ConditionSource, TextCondition } from './text-condition.js';

/** How rows become transfers. `docs/guides/import.md` explains each member. */
export interface Mapping {
  /** As it stands in its file. */
  readonly text: string;
  /** Part of every idempotency key, so that a row keeps its key whatever the file is called. */
  readonly name: string;
  readonly csv: CsvFormat & {
    /** Of records that are no rows, as they are written. */
    readonly ignoreLines: readonly TextCondition[];
    /** In which the file has its rows. */
    readonly order: 'oldest-first' | 'newest-first';
  };
  readonly asset: { readonly code: string; readonly scale: number };
  readonly row: RowMapping;
  readonly accounts: Readonly<Record<string, AccountMapping>>;
  /** The first that fits a row decides. */
  readonly rules: readonly Rule[];
}

export interface RowMapping {
  readonly id: Template;
  readonly amount: AmountMapping;
  readonly effectiveAt: { readonly column: string; readonly format: DateFormat } | undefined;
  /** `own`: made of the mapping's name and the row's id. */
  readonly reference: Template | 'own' | undefined;
  readonly metadata: Readonly<Record<string, Template>>;
}

export interface AccountMapping {
  readonly id: Template;
  readonly normalSide: Side;
  /** Minor units; null for none. */
  readonly floor: string | null;
  readonly ceiling: string | null;
  readonly metadata: Readonly<Record<string, Template>>;
}

export interface Rule {
  readonly when: readonly { readonly column: string; readonly condition: TextCondition }[];
  /** Undefined: any, also of an amount that cannot be read. */
  readonly sign: Sign | undefined;
  /** Undefined: rows that this rule fits move no money. */
  readonly transfer: { readonly debit: string; readonly credit: string } | undefined;
}

/** Throws `IMPORT_MAPPING_INVALID`, which names the member and what it must be. `isNoted` of a mapping that a version before has taken: it says how rows were read. */
export function parseMapping(file: string, text: string, isNoted = false): Mapping {
  return { ...new MappingReader(file, isNoted).read(readMappingFile(file, text)), text };
}

/** Every column that the mapping names: each must be in the file's header. */
export function columnsOf({ row, accounts, rules }: Pick<Mapping, 'row' | 'accounts' | 'rules'>) {
  const templates = [
    ...(row.reference instanceof Template ? [row.reference] : []),
    ...Object.values(row.metadata),
    ...Object.values(accounts).flatMap(({ id, metadata }) => [id, ...Object.values(metadata)]),
  ];
  const columns = [
    ...amountColumns(row.amount),
    ...(row.effectiveAt === undefined ? [] : [row.effectiveAt.column]),
    ...row.id.columns.filter((column) => !ROW_TOKENS.some((token) => token === column)),
    ...templates.flatMap((template) => template.columns),
    ...rules.flatMap(({ when }) => when.map(({ column }) => column)),
  ];
  return [...new Set(columns)];
}

/** Makes a mapping of what its schema has let pass, and refuses what no schema can see. */
class MappingReader {
  constructor(
    private readonly file: string,
    private readonly isNoted: boolean,
  ) {}

  read({ name, csv, asset, row, accounts, rules }: MappingFile): Omit<Mapping, 'text'> {
    const mapping = {
      name,
      csv: this.csv(csv),
      asset,
      row: this.row(row),
      accounts: Object.fromEntries(
        Object.entries(accounts).map(([each, account]) => [
          each,
          this.account(account, `accounts.${each}`),
        ]),
      ),
      rules: rules.map((rule, index) => this.rule(rule, Object.keys(accounts), `rules[${index}]`)),
    };
    const { columns } = csv;
    if (columns !== undefined) this.checkColumns(columns, columnsOf(mapping));
    return mapping;
  }

  private csv(csv: MappingFile['csv']): Mapping['csv'] {
    const { delimiter, quote, encoding, columns, order } = csv;
    if (encoding !== undefined && !isEncoding(encoding))
      throw this.refusal(
        'csv.encoding',
        `is not known: ${shown(encoding)}; there are utf8, utf-16le, windows-1252, iso-8859-15, cp850, macroman, shift_jis, gb18030 and many more`,
      );
    // What an import writes itself is made of these, and nothing could hold it.
    if (quote === '' && /[\w%]/.test(delimiter))
      throw this.refusal('csv.delimiter', 'must have no letter, digit, _ or % without csv.quote');
    const ignoreLines = csv.ignoreLines.map((source, index) =>
      this.condition(source, `csv.ignoreLines[${index}]`),
    );
    return { delimiter, quote, encoding, columns, ignoreLines, order };
  }

  private checkColumns(columns: readonly string[], needed: readonly string[]): void {
    for (const column of needed) {
      const times = columns.filter((name) => name === column).length;
      if (times === 0) throw this.refusal('csv.columns', `must have ${shown(column)}`);
      if (times > 1) throw this.refusal('csv.columns', `must have ${shown(column)} only once`);
    }
  }

  private row({ id, amount, effectiveAt, reference, metadata }: MappingFile['row']): RowMapping {
    return {
      id: this.template(id, 'row.id'),
      amount: this.amount(amount),
      effectiveAt: effectiveAt && this.effectiveAt(effectiveAt),
      reference: this.reference(reference),
      metadata: this.templates(metadata, 'row.metadata'),
    };
  }

  private reference(source: string | null | undefined): RowMapping['reference'] {
    if (source === undefined) return 'own';
    return source === null ? undefined : this.template(source, 'row.reference');
  }

  private amount(amount: AmountFile): AmountMapping {
    const { column, sign, in: incoming, out, outWritten, ...written } = amount;
    const format = { ...written };
    const { decimalMark = '.', groupMark } = format;
    if (decimalMark === groupMark)
      throw this.refusal(
        'row.amount.groupMark',
        `must be another mark than decimalMark, ${shown(decimalMark)}${format.decimalMark === undefined ? ' when it is left out' : ''}`,
      );
    const { negative, positive, currency } = format;
    this.refuseWordTwice('row.amount.positive', positive, { negative });
    this.refuseWordTwice('row.amount.currency', currency, { negative, positive });
    if (sign !== undefined)
      this.refuseWordTwice('row.amount.sign.positive', sign.positive, { negative: sign.negative });
    if (incoming !== undefined || out !== undefined) {
      if (incoming === undefined || out === undefined || column !== undefined || sign !== undefined)
        throw this.refusal('row.amount', 'must have in and out together, without column and sign');
      return { ...format, in: incoming, out, outWritten };
    }
    if (column === undefined)
      throw this.refusal('row.amount', 'must have column, or in and out for two columns');
    return { ...format, column, sign };
  }

  /** What one list takes for one thing and another for another: the first would win, and money go the wrong way. */
  private refuseWordTwice(
    place: string,
    words: readonly string[],
    others: Readonly<Record<string, readonly string[]>>,
  ): void {
    for (const [name, other] of Object.entries(others)) {
      const both = other.find((word) => words.includes(word));
      if (both !== undefined)
        throw this.refusal(place, `must not have ${shown(both)}, as ${name} has`);
    }
  }

  private effectiveAt({
    column,
    ...options
  }: NonNullable<MappingFile['row']['effectiveAt']>): RowMapping['effectiveAt'] {
    const format = DateFormat.parse({ ...options, anyCalendar: this.isNoted });
    if (typeof format === 'string') {
      const [option = '', ...problem] = format.split(' ');
      throw this.refusal(`row.effectiveAt.${option}`, problem.join(' '));
    }
    return { column, format };
  }

  private account({ id, metadata, ...rest }: AccountFile, place: string): AccountMapping {
    return {
      ...rest,
      id: this.template(id, `${place}.id`),
      metadata: this.templates(metadata, `${place}.metadata`),
    };
  }

  private rule(rule: RuleFile, accounts: readonly string[], place: string): Rule {
    const { skip, sign, debit, credit } = rule;
    const when = Object.entries(rule.when).map(([column, source]) => ({
      column,
      condition: this.condition(source, `${place}.when.${column}`),
    }));
    if (skip === true) {
      if (debit !== undefined || credit !== undefined)
        throw this.refusal(`${place}.skip`, 'must be true, without debit and credit');
      return { when, sign, transfer: undefined };
    }
    const transfer = {
      debit: this.oneOf(accounts, debit, `${place}.debit`),
      credit: this.oneOf(accounts, credit, `${place}.credit`),
    };
    if (debit === credit)
      throw this.refusal(`${place}.credit`, 'must be another account than debit');
    return { when, sign: sign ?? 'positive', transfer };
  }

  private oneOf(accounts: readonly string[], name: string | undefined, place: string): string {
    if (name === undefined) throw this.refusal(place, 'is missing');
    if (!accounts.includes(name))
      throw this.refusal(place, `must be one of ${accounts.join(', ')}`);
    return name;
  }

  private condition(source: ConditionSource, place: string): TextCondition {
    const condition = TextCondition.of(source);
    if (typeof condition === 'string') throw this.refusal(place, condition);
    return condition;
  }

  private template(source: string, place: string): Template {
    const template = Template.parse(source);
    if (template === undefined)
      throw this.refusal(
        place,
        'has a brace without its partner; write {{ or }} for a brace itself',
      );
    return template;
  }

  private templates(
    sources: Readonly<Record<string, string>>,
    place: string,
  ): Readonly<Record<string, Template>> {
    return Object.fromEntries(
      Object.entries(sources).map(([key, source]) => [
        key,
        this.template(source, `${place}.${key}`),
      ]),
    );
  }

  private refusal(place: string, problem: string) {
    return mappingRefusal(this.file, place, problem);
  }
}

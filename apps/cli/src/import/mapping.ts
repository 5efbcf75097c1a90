import {
  ASSET_SCALE_MAX,
  type FieldRule,
  type Side,
  assetRule,
  limitRule,
  scaleRule,
} from '@holdfast/ledger';
import type { AmountFormat } from './amount.js';
import type { CsvFormat } from './csv-rows.js';
import { DateFormat } from './date-format.js';
import { JsonReader } from './json-reader.js';
import { DEFAULT_ID, ROW_TOKENS } from './row-identity.js';
import { Template } from './template.js';

/** How rows become transfers. `docs/guides/import.md` explains each member. */
export interface Mapping {
  /** Part of every idempotency key, so that a row keeps its key whatever the file is called. */
  readonly name: string;
  readonly csv: CsvFormat;
  readonly asset: { readonly code: string; readonly scale: number };
  readonly row: RowMapping;
  readonly accounts: Readonly<Record<string, AccountMapping>>;
  /** The first that fits a row decides. */
  readonly rules: readonly Rule[];
}

export interface RowMapping {
  readonly id: Template;
  readonly amount: AmountFormat & { readonly column: string };
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

export type Sign = 'positive' | 'negative';

export interface Rule {
  readonly when: readonly { readonly column: string; readonly values: readonly string[] }[];
  readonly sign: Sign;
  /** Undefined: rows that this rule fits move no money. */
  readonly transfer: { readonly debit: string; readonly credit: string } | undefined;
}

/** Of a mapping and of an attempt: no colon, so that what keys and references are made of stays apart. */
export const nameRule: FieldRule = {
  accepts: (value) => typeof value === 'string' && /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(value),
  problem: 'must be 1 to 64 letters, digits, "_", "." or "-", starting with a letter or digit',
};

/** Throws `IMPORT_MAPPING_INVALID`, which names the member and what it must be. */
export function parseMapping(file: string, text: string): Mapping {
  const mapping = JsonReader.of(file, text).only(
    'name',
    'csv',
    'asset',
    'row',
    'accounts',
    'rules',
  );
  const name = textBy(mapping, 'name', nameRule);
  const accounts = accountsOf(mapping.object('accounts'));
  return {
    name,
    csv: csvOf(mapping),
    asset: assetOf(mapping.object('asset')),
    row: rowOf(mapping.object('row')),
    accounts,
    rules: mapping.objects('rules').map((rule) => ruleOf(rule, Object.keys(accounts))),
  };
}

/** Every column that the mapping names: each must be in the file's header. */
export function columnsOf({ row, accounts, rules }: Mapping): readonly string[] {
  const templates = [
    ...(row.reference instanceof Template ? [row.reference] : []),
    ...Object.values(row.metadata),
    ...Object.values(accounts).flatMap(({ id, metadata }) => [id, ...Object.values(metadata)]),
  ];
  const columns = [
    row.amount.column,
    ...(row.effectiveAt === undefined ? [] : [row.effectiveAt.column]),
    ...row.id.columns.filter((column) => !ROW_TOKENS.some((token) => token === column)),
    ...templates.flatMap((template) => template.columns),
    ...rules.flatMap(({ when }) => when.map(({ column }) => column)),
  ];
  return [...new Set(columns)];
}

function csvOf(mapping: JsonReader): CsvFormat {
  if (!mapping.has('csv')) return { delimiter: ',', quote: '"', encoding: 'utf8' };
  const csv = mapping.object('csv').only('delimiter', 'quote', 'encoding');
  const delimiter = csv.text('delimiter', ',');
  if (delimiter.length === 0) throw csv.refusal('delimiter', 'must not be empty');
  return {
    delimiter,
    quote: csv.text('quote', '"'),
    encoding: csv.choice('encoding', ['utf8', 'latin1'], 'utf8'),
  };
}

function assetOf(asset: JsonReader): Mapping['asset'] {
  asset.only('code', 'scale');
  const code = textBy(asset, 'code', assetRule);
  const scale = asset.raw('scale');
  if (!scaleRule.accepts(scale))
    throw asset.refusal('scale', `must be a whole number from 0 to ${ASSET_SCALE_MAX}`);
  return { code, scale: Number(scale) };
}

function rowOf(row: JsonReader): RowMapping {
  row.only('id', 'amount', 'effectiveAt', 'reference', 'metadata');
  const amount = row.object('amount').only('column', 'decimalMark', 'groupMark');
  return {
    id: templateOf(row, 'id', DEFAULT_ID),
    amount: {
      column: amount.text('column'),
      decimalMark: amount.choice('decimalMark', ['.', ','], '.'),
      groupMark: amount.choice('groupMark', ['', ',', '.', ' ', "'"], ''),
    },
    effectiveAt: row.has('effectiveAt') ? effectiveAtOf(row.object('effectiveAt')) : undefined,
    reference: referenceOf(row),
    metadata: templatesOf(row, 'metadata'),
  };
}

function referenceOf(row: JsonReader): RowMapping['reference'] {
  if (!row.has('reference')) return 'own';
  return row.raw('reference') === null ? undefined : templateOf(row, 'reference');
}

function effectiveAtOf(effectiveAt: JsonReader): RowMapping['effectiveAt'] {
  effectiveAt.only('column', 'format');
  const format = DateFormat.parse(effectiveAt.text('format'));
  if (format === undefined)
    throw effectiveAt.refusal(
      'format',
      'must have YYYY, MM and DD, perhaps HH, mm and ss, each once',
    );
  return { column: effectiveAt.text('column'), format };
}

function accountsOf(accounts: JsonReader): Readonly<Record<string, AccountMapping>> {
  if (accounts.names.length === 0) throw accounts.refusal('', 'must have at least one account');
  return Object.fromEntries(accounts.names.map((name) => [name, accountOf(accounts.object(name))]));
}

function accountOf(account: JsonReader): AccountMapping {
  account.only('id', 'normalSide', 'floor', 'ceiling', 'metadata');
  return {
    id: templateOf(account, 'id'),
    normalSide: account.choice('normalSide', ['debit', 'credit']),
    floor: limitOf(account, 'floor', '0'),
    ceiling: limitOf(account, 'ceiling', null),
    metadata: templatesOf(account, 'metadata'),
  };
}

function limitOf(account: JsonReader, name: string, fallback: string | null): string | null {
  const value = account.raw(name);
  if (value === undefined) return fallback;
  return value === null ? null : textBy(account, name, limitRule);
}

function ruleOf(rule: JsonReader, accounts: readonly string[]): Rule {
  rule.only('when', 'sign', 'debit', 'credit', 'skip');
  const sign = rule.choice('sign', ['positive', 'negative'], 'positive');
  if (rule.has('skip')) {
    if (rule.raw('skip') !== true || rule.has('debit') || rule.has('credit'))
      throw rule.refusal('skip', 'must be true, without debit and credit');
    return { when: whenOf(rule), sign, transfer: undefined };
  }
  const transfer = {
    debit: rule.choice('debit', accounts),
    credit: rule.choice('credit', accounts),
  };
  if (transfer.debit === transfer.credit)
    throw rule.refusal('credit', 'must be another account than debit');
  return { when: whenOf(rule), sign, transfer };
}

function whenOf(rule: JsonReader): Rule['when'] {
  if (!rule.has('when')) return [];
  const when = rule.object('when');
  return when.names.map((column) => {
    const value = when.raw(column);
    const values: readonly unknown[] = Array.isArray(value) ? value : [value];
    if (values.length === 0 || !values.every((candidate) => typeof candidate === 'string'))
      throw when.refusal(column, 'must be text or a list of texts');
    return { column, values };
  });
}

function templateOf(reader: JsonReader, name: string, fallback?: string): Template {
  const template = Template.parse(reader.text(name, fallback));
  if (template === undefined)
    throw reader.refusal(
      name,
      'has a brace without its partner; write {{ or }} for a brace itself',
    );
  return template;
}

function templatesOf(reader: JsonReader, name: string): Readonly<Record<string, Template>> {
  if (!reader.has(name)) return {};
  const templates = reader.object(name);
  return Object.fromEntries(templates.names.map((key) => [key, templateOf(templates, key)]));
}

function textBy(reader: JsonReader, name: string, rule: FieldRule): string {
  const text = reader.text(name);
  if (!rule.accepts(text)) throw reader.refusal(name, rule.problem);
  return text;
}

import { ASSET_SCALE_MAX, SIDES, assetRule, limitRule } from '@holdfast/ledger';
import { DEFAULT_ID, nameRule } from './row-identity.js';
import type { ConditionSource } from './text-condition.js';

/** A mapping as it is written: what its schema lets pass, with the defaults filled in. */
export interface MappingFile {
  readonly name: string;
  readonly csv: {
    readonly delimiter: string;
    readonly quote: string;
    readonly encoding?: string;
    readonly columns?: readonly string[];
    readonly ignoreLines: readonly ConditionSource[];
    readonly order: 'oldest-first' | 'newest-first';
  };
  readonly asset: { readonly code: string; readonly scale: number };
  readonly row: {
    readonly id: string;
    readonly amount: AmountFile;
    readonly effectiveAt?: {
      readonly column: string;
      readonly format: string;
      readonly timeZone?: string;
      readonly locale?: string;
    };
    readonly reference?: string | null;
    readonly metadata: Readonly<Record<string, string>>;
  };
  readonly accounts: Readonly<Record<string, AccountFile>>;
  readonly rules: readonly RuleFile[];
}

export interface AmountFile {
  readonly column?: string;
  readonly sign?: {
    readonly column: string;
    readonly negative: readonly string[];
    readonly positive: readonly string[];
  };
  readonly in?: string;
  readonly out?: string;
  readonly outWritten: 'positive' | 'negative';
  readonly decimalMark?: string;
  readonly groupMark?: string;
  readonly grouping: 'thousands' | 'lakh';
  readonly currency: readonly string[];
  readonly negative: readonly string[];
  readonly positive: readonly string[];
}

export interface AccountFile {
  readonly id: string;
  readonly normalSide: 'debit' | 'credit';
  readonly floor: string | null;
  readonly ceiling: string | null;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface RuleFile {
  readonly when: Readonly<Record<string, ConditionSource>>;
  readonly sign?: 'positive' | 'negative';
  readonly debit?: string;
  readonly credit?: string;
  readonly skip?: true;
}

const column = { type: 'string', minLength: 1, description: 'A column of the file.' };
const template = {
  type: 'string',
  description: 'Text with columns in it, such as customer-{account}; {{ and }} are braces.',
};
const templates = { type: 'object', additionalProperties: template, default: {} };

/** What may stand beside a number: it must not be taken for a part of it. */
const words = {
  type: 'array',
  items: {
    type: 'string',
    pattern: '^[^0-9()+\\-\\u2212]*[\\p{L}\\p{Sc}][^0-9()+\\-\\u2212]*$',
    description: 'must have a letter or a currency sign, and no digit, sign or parenthesis',
  },
  default: [],
};
const texts = { type: 'array', items: { type: 'string' }, minItems: 1 };
const sign = { enum: ['positive', 'negative'] };

const condition = {
  type: ['string', 'array', 'object'],
  description: 'A text, a list of texts, or one kind of comparison.',
  items: { type: 'string' },
  minItems: 1,
  properties: {
    equals: { type: ['string', 'array'], items: { type: 'string' }, minItems: 1 },
    contains: { type: 'string', minLength: 1 },
    startsWith: { type: 'string', minLength: 1 },
    endsWith: { type: 'string', minLength: 1 },
    matches: { type: 'string', minLength: 1, description: 'A regular expression.' },
    ignoreCase: { type: 'boolean', description: 'Whether large and small letters are the same.' },
  },
  additionalProperties: false,
};

const csv = {
  type: 'object',
  description: 'How the file is written.',
  default: {},
  additionalProperties: false,
  properties: {
    delimiter: { type: 'string', minLength: 1, default: ',' },
    quote: { type: 'string', maxLength: 1, default: '"' },
    encoding: {
      type: 'string',
      description:
        'Such as utf8, windows-1252 or utf-16le. UTF-8 when left out; a byte order mark decides before it.',
    },
    columns: {
      ...texts,
      description: 'The columns of a file without a header.',
    },
    ignoreLines: {
      type: 'array',
      items: condition,
      default: [],
      description: 'Lines that are no rows, such as totals at the end.',
    },
    order: {
      enum: ['oldest-first', 'newest-first'],
      default: 'oldest-first',
      description:
        'Rows are posted oldest first: of a file that begins with the newest, from its end.',
    },
  },
};

const amount = {
  type: 'object',
  additionalProperties: false,
  description: 'Where the amount stands (column, or in and out), and how it is written.',
  properties: {
    column,
    sign: {
      type: 'object',
      description: 'A column that says which sign the amount has.',
      additionalProperties: false,
      required: ['column', 'negative', 'positive'],
      properties: { column, negative: texts, positive: texts },
    },
    in: { ...column, description: 'The column of what comes in: positive.' },
    out: { ...column, description: 'The column of what goes out: negative.' },
    outWritten: { ...sign, default: 'positive', description: 'How out is written.' },
    decimalMark: { enum: ['.', ','] },
    groupMark: { enum: ['', ',', '.', ' ', "'"] },
    grouping: { enum: ['thousands', 'lakh'], default: 'thousands' },
    currency: { ...words, description: 'What may stand beside the number.' },
    negative: { ...words, description: 'What stands beside a negative number, such as DR.' },
    positive: { ...words, description: 'What stands beside a positive number, such as CR.' },
  },
};

const effectiveAt = {
  type: 'object',
  additionalProperties: false,
  required: ['column', 'format'],
  properties: {
    column,
    format: { type: 'string', description: 'Such as YYYY-MM-DD or D.M.YY H:mm.' },
    timeZone: { type: 'string', description: 'Such as Europe/Berlin; UTC when left out.' },
    locale: { type: 'string', description: 'Of month names, such as de; en when left out.' },
  },
};

const account = {
  type: 'object',
  additionalProperties: false,
  required: ['id', 'normalSide'],
  properties: {
    id: template,
    normalSide: { enum: [...SIDES] },
    floor: limit('0'),
    ceiling: limit(null),
    metadata: templates,
  },
};

const rule = {
  type: 'object',
  additionalProperties: false,
  properties: {
    when: { type: 'object', additionalProperties: condition, default: {} },
    sign: { ...sign, description: 'Rows with this sign. Without it, positive; with skip, any.' },
    debit: { type: 'string', description: 'The name of an account of this mapping.' },
    credit: { type: 'string', description: 'The name of an account of this mapping.' },
    skip: { const: true, description: 'Instead of debit and credit: the row moves no money.' },
  },
};

/**
 * What a mapping may be. docs/guides/import-mapping.schema.json is this, for editors; a test holds it to it. The description of text with a pattern is
 * what its message says.
 */
export const MAPPING_SCHEMA = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'Mapping of a Holdfast import',
  type: 'object',
  additionalProperties: false,
  required: ['name', 'asset', 'row', 'accounts', 'rules'],
  properties: {
    $schema: { type: 'string', description: 'For editors: where this schema is.' },
    name: {
      type: 'string',
      pattern: nameRule.pattern.source,
      description: nameRule.problem,
    },
    csv,
    asset: {
      type: 'object',
      additionalProperties: false,
      required: ['code', 'scale'],
      properties: {
        code: {
          type: 'string',
          pattern: assetRule.pattern.source,
          description: assetRule.problem,
        },
        scale: { type: 'integer', minimum: 0, maximum: ASSET_SCALE_MAX },
      },
    },
    row: {
      type: 'object',
      additionalProperties: false,
      required: ['amount'],
      properties: {
        id: { ...template, default: DEFAULT_ID },
        amount,
        effectiveAt,
        reference: {
          ...template,
          type: ['string', 'null'],
          description:
            'A template. One is made of the name and the id when left out; null for none.',
        },
        metadata: templates,
      },
    },
    accounts: { type: 'object', additionalProperties: account, minProperties: 1 },
    rules: { type: 'array', items: rule, minItems: 1 },
  },
};

function limit(value: string | null) {
  return {
    type: ['string', 'null'],
    pattern: limitRule.pattern.source,
    description: limitRule.problem,
    default: value,
  };
}

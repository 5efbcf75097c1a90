import { type FieldRule, textRule } from '@holdfast/commands/reading';

/*
 * The grammar of every field, once: the deciders assert it, the HTTP layer validates and documents with it.
 */

export type Side = 'debit' | 'credit';
export type AccountStatus = 'active' | 'debit_frozen' | 'frozen' | 'closed';
export type Metadata = Readonly<Record<string, string>>;
/** A key with null is removed, one with text is set, one left out stays. */
export type MetadataPatch = Readonly<Record<string, string | null>>;

export const SIDES: readonly Side[] = ['debit', 'credit'];
export const ACCOUNT_STATUSES: readonly AccountStatus[] = [
  'active',
  'debit_frozen',
  'frozen',
  'closed',
];

export const LEGS_MIN = 2;
export const LEGS_MAX = 64;
export const AMOUNT_DIGITS_MAX = 36;
export const ASSET_SCALE_MAX = 18;
export const LEDGER_NAME_CHARACTERS_MAX = 64;
export const ACCOUNT_ID_CHARACTERS_MAX = 128;
export const REFERENCE_CHARACTERS_MAX = 128;
export const METADATA_KEYS_MAX = 50;
export const METADATA_KEY_CHARACTERS_MAX = 40;
export const METADATA_VALUE_CHARACTERS_MAX = 500;

/** It starts every stream's name, so it holds no `/`, and it starts with a letter or digit, so that it is never `..`. */
export const ledgerRule = textRule(
  /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/,
  'must be 1 to 64 letters, digits, "_", "." or "-", starting with a letter or digit',
);
export const assetRule = textRule(
  /^[A-Z][A-Z0-9]{0,16}$/,
  'must be 1 to 17 upper-case letters and digits, starting with a letter',
);
export const accountIdRule = textRule(
  /^[A-Za-z0-9_][A-Za-z0-9_.:@~+=-]{0,127}$/,
  'must be 1 to 128 letters, digits or any of "_.:@~+=-", starting with a letter, digit or "_"',
);
export const uuidRule = textRule(
  /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/,
  'must be a UUID in lower case',
);
export const amountRule = textRule(
  /^[1-9][0-9]{0,35}$/,
  'must be a string of 1 to 36 digits without a leading zero: a whole number of minor units above zero',
);
/** A floor or ceiling: also zero or negative. */
export const limitRule = textRule(
  /^(?:0|-?[1-9][0-9]{0,35})$/,
  'must be a string of 1 to 36 digits without a leading zero, perhaps after "-", or null',
);
/** Code points, none of them a control character or half of a pair: what every store and transport keeps unchanged. */
export const referenceRule = textRule(
  /^[^\p{Cc}\p{Cs}]{1,128}$/u,
  'must be 1 to 128 characters without control characters',
);
export const metadataKeyRule = textRule(
  /^(?!__proto__$)[^\p{Cc}\p{Cs}]{1,40}$/u,
  'must have keys of 1 to 40 characters without control characters, other than "__proto__"',
);
/** Lines and tabs are welcome; NUL is what PostgreSQL cannot hold. */
export const metadataValueRule = textRule(
  /^[^\0\p{Cs}]{0,500}$/u,
  'must have values of at most 500 characters without NUL',
);
export const sideRule = oneOf(SIDES);
export const accountStatusRule = oneOf(ACCOUNT_STATUSES);
export const scaleRule: FieldRule = {
  accepts: (value) => isWholeNumber(value) && value <= ASSET_SCALE_MAX,
  problem: `must be a whole number from 0 to ${ASSET_SCALE_MAX}`,
};
/** 0 is the entry version of an account that nothing was posted to. */
export const versionRule: FieldRule = {
  accepts: isWholeNumber,
  problem: 'must be a whole number, 0 or more',
};
export const instantRule: FieldRule = {
  accepts: (value) => typeof value === 'string' && instantMillis(value) !== undefined,
  problem: 'must be a time in UTC such as 2026-11-23T10:00:00.000Z',
};

const INSTANT_PATTERN =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,3})?Z$/;
const DAY_AT = '2026-11-'.length;
/** What every month has; the days after it are looked at more closely. */
const CERTAIN_DAYS = 28;

/** Milliseconds since 1970 UTC of `2026-11-23T10:00:00.000Z` (the fraction may be shorter), or undefined. */
export function instantMillis(instant: string): number | undefined {
  if (!INSTANT_PATTERN.test(instant)) return undefined;
  const millis = Date.parse(instant);
  const day = Number(instant.slice(DAY_AT, DAY_AT + 2));
  // The parser takes 30 February for 2 March; a day that is not what it says is no day.
  return day <= CERTAIN_DAYS || new Date(millis).getUTCDate() === day ? millis : undefined;
}

let latestMillis = 0;
let latestText = '1970-01-01T00:00:00.000Z';

/**
 * The one form in which times are recorded: `2026-11-23T10:00:00.000Z`. Remembers the latest, because a thousand
 * commands have one present.
 */
export function instantText(millis: number): string {
  if (millis !== latestMillis) {
    latestText = new Date(millis).toISOString();
    latestMillis = millis;
  }
  return latestText;
}

function oneOf(words: readonly string[]): FieldRule {
  return {
    accepts: (value) => typeof value === 'string' && words.includes(value),
    problem: `must be one of ${words.join(', ')}`,
  };
}

function isWholeNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

import type { ApiPropertyOptions } from '@nestjs/swagger';
import type { FieldRule, TextRule } from '@holdfast/commands';
import {
  METADATA_KEYS_MAX,
  METADATA_KEY_CHARACTERS_MAX,
  METADATA_VALUE_CHARACTERS_MAX,
  accountIdRule,
  accountStatusRule,
  amountRule,
  assetRule,
  instantRule,
  ledgerRule,
  limitRule,
  metadataKeyRule,
  metadataValueRule,
  referenceRule,
  scaleRule,
  sideRule,
  uuidRule,
  versionRule,
} from '@holdfast/ledger';
import { defineConstraint } from '@holdfast/platform';

/** The property is what one of the ledger's field rules accepts: the grammar stands once, in the ledger's `fields.ts`. */
export const Obeys = defineConstraint(
  'obeys',
  (rule: FieldRule) => rule.accepts,
  (rule) => `$property ${rule.problem}`,
);

const metadataRule = textsRule((value) => metadataValueRule.accepts(value), '');
/** Null removes its key. */
const metadataPatchRule = textsRule(
  (value) => value === null || metadataValueRule.accepts(value),
  ' or null',
);

function textsRule(acceptsValue: (value: unknown) => boolean, orNull: string): FieldRule {
  return {
    accepts: (value) =>
      typeof value === 'object' &&
      value !== null &&
      !Array.isArray(value) &&
      Object.keys(value).length <= METADATA_KEYS_MAX &&
      Object.entries(value).every(
        ([key, text]) => metadataKeyRule.accepts(key) && acceptsValue(text),
      ),
    problem:
      `must be an object of at most ${METADATA_KEYS_MAX} texts${orNull}, with keys of 1 to ${METADATA_KEY_CHARACTERS_MAX} and ` +
      `texts of at most ${METADATA_VALUE_CHARACTERS_MAX} characters`,
  };
}

/*
 * How OpenAPI describes each field, for requests and answers alike. Given to `ApiProperty`, `ApiPropertyOptional`, `ApiParam`.
 */
export const fieldSchemas = {
  ledger: described(ledgerRule, 'The name of a ledger.', 'main'),
  asset: described(assetRule, 'The code of an asset.', 'EUR'),
  accountId: described(accountIdRule, "An account's id.", 'alice'),
  uuid: described(uuidRule, 'A UUID.', '0192f0c1-7b3a-7cc1-8a51-5d2c0b7e9f10'),
  amount: described(amountRule, 'A whole number of minor units, as text.', '1250'),
  limit: described(limitRule, 'A whole number of minor units, as text; null for none.', '0'),
  reference: described(referenceRule, "The caller's own name for it.", 'invoice 4711'),
  instant: {
    type: 'string',
    format: 'date-time',
    description: `A time in UTC: ${instantRule.problem}.`,
    example: '2024-01-31T09:30:00.000Z',
  },
  side: { type: 'string', enum: ['debit', 'credit'], description: 'A side of the books.' },
  accountStatus: {
    type: 'string',
    enum: ['active', 'debit_frozen', 'frozen', 'closed'],
    description: 'What may be posted to the account: all, credits only, nothing, nothing for good.',
  },
  scale: {
    type: 'integer',
    minimum: 0,
    maximum: 18,
    description: 'Digits after the decimal point that one minor unit stands for.',
    example: 2,
  },
  version: { type: 'integer', minimum: 0, description: 'Counts changes.', example: 1 },
  metadata: {
    type: 'object',
    maxProperties: METADATA_KEYS_MAX,
    additionalProperties: { type: 'string', maxLength: METADATA_VALUE_CHARACTERS_MAX },
    description: 'Texts of the caller; nothing here reads them.',
    example: { order: '4711' },
  },
  metadataPatch: {
    type: 'object',
    additionalProperties: {
      anyOf: [{ type: 'string', maxLength: METADATA_VALUE_CHARACTERS_MAX }, { type: 'null' }],
    },
    description: 'Keys with a text are set, keys with null removed, all others stay.',
    example: { order: '4711', draft: null },
  },
} satisfies Readonly<Record<string, ApiPropertyOptions>>;

function described(rule: TextRule, description: string, example: string) {
  return { type: 'string', pattern: rule.pattern.source, description, example } as const;
}

/** Each field's rule under the name of its schema, so that a DTO says `@Obeys(fieldRules.asset)`. */
export const fieldRules = {
  ledger: ledgerRule,
  asset: assetRule,
  accountId: accountIdRule,
  uuid: uuidRule,
  amount: amountRule,
  limit: limitRule,
  reference: referenceRule,
  instant: instantRule,
  side: sideRule,
  accountStatus: accountStatusRule,
  scale: scaleRule,
  version: versionRule,
  metadata: metadataRule,
  metadataPatch: metadataPatchRule,
} as const satisfies Record<keyof typeof fieldSchemas, FieldRule>;

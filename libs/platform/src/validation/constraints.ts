import { defineConstraint } from './constraint.js';

/**
 * The text of a whole number, as a query parameter carries it: no sign, no leading zero, no exponent. Nothing is converted, so `''`,
 * `0x10` and `1e3` are refused instead of becoming 0, 16 and 1,000.
 */
export const IsIntegerText = defineConstraint(
  'isIntegerText',
  (min: number, max: number) => (value) =>
    typeof value === 'string' &&
    /^(?:0|[1-9][0-9]{0,15})$/.test(value) &&
    Number(value) >= min &&
    Number(value) <= max,
  (min, max) => `$property must be a whole number from ${min} to ${max}`,
);

export interface TextMapLimits {
  readonly entriesMax: number;
  readonly keyCharactersMax: number;
  readonly valueCharactersMax: number;
}

/** An object whose values are texts, such as a resource's metadata. */
export const IsTextMap = defineConstraint(
  'isTextMap',
  (limits: TextMapLimits) => (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    const entries = Object.entries(value);
    return (
      entries.length <= limits.entriesMax &&
      entries.every(
        ([key, text]) =>
          key.length > 0 &&
          key.length <= limits.keyCharactersMax &&
          typeof text === 'string' &&
          text.length <= limits.valueCharactersMax,
      )
    );
  },
  (limits) =>
    `$property must be an object of at most ${limits.entriesMax} texts, with keys of 1 to ${limits.keyCharactersMax} ` +
    `and values of at most ${limits.valueCharactersMax} characters`,
);

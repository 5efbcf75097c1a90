import type { Malformed } from '@holdfast/commands';
import type { FieldRule } from '@holdfast/commands';
import { METADATA_KEYS_MAX, metadataKeyRule, metadataValueRule } from './fields.js';

/** A command before its fields were looked at: whatever a caller, or a bug in one, handed in. */
export type Unchecked<Command> = { readonly [Field in keyof Command]?: unknown };

export function malformed(field: string, problem: string): Malformed {
  return { kind: 'malformed', field, problem };
}

/** Undefined when the rule accepts the value. */
export function required(rule: FieldRule, field: string, value: unknown): Malformed | undefined {
  return rule.accepts(value) ? undefined : malformed(field, rule.problem);
}

export function optional(rule: FieldRule, field: string, value: unknown): Malformed | undefined {
  return value === undefined || rule.accepts(value) ? undefined : malformed(field, rule.problem);
}

export function optionalOrNull(
  rule: FieldRule,
  field: string,
  value: unknown,
): Malformed | undefined {
  return value === null ? undefined : optional(rule, field, value);
}

export function metadataMalformed(value: unknown): Malformed | undefined {
  return value === undefined ? undefined : entriesMalformed(value, false);
}

/** As metadata, but a value may be null, which removes its key. */
export function metadataPatchMalformed(value: unknown): Malformed | undefined {
  return entriesMalformed(value, true);
}

function entriesMalformed(value: unknown, allowNull: boolean): Malformed | undefined {
  if (!isRecord(value)) return malformed('metadata', 'must be an object of text values');
  const keys = Object.keys(value);
  if (keys.length > METADATA_KEYS_MAX)
    return malformed('metadata', `must have at most ${METADATA_KEYS_MAX} keys`);
  for (const key of keys) {
    if (!metadataKeyRule.accepts(key)) return malformed('metadata', metadataKeyRule.problem);
    const text = value[key];
    if (!(allowNull && text === null) && !metadataValueRule.accepts(text))
      return malformed('metadata', metadataValueRule.problem);
  }
  return undefined;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

import { type TextRule, keyRule } from './fields.js';

/** A quoted string as in draft-ietf-httpapi-idempotency-key-header: RFC 8941, where `\"` and `\\` are the only escapes. */
const QUOTED = /^"((?:[^"\\]|\\["\\])*)"$/;

/**
 * How a key may be spelled wherever it arrives (header field, item of a bulk, path, command line): bare, or as a quoted string, which has room for the
 * escapes of its characters. `keySpellings` says which key it is.
 */
export const spelledKeyRule: TextRule = {
  accepts: (value) => typeof value === 'string' && keyRule.accepts(keySpelledAs(value)),
  pattern: /^(?!"{2}$)(?:[!-~]{1,255}|"(?:[!#-[\]-~]|\\["\\]){1,255}")$/,
  problem: `${keyRule.problem}, bare or as a quoted string`,
};

/**
 * The spellings of a key from the one that arrived to the key itself, which is the last: `"a"` in quotes is spelled so, and is the key `a`. A key is never
 * quoted itself, so `"\"a\""` is the key `a` too.
 *
 * Commands are recorded under the key. Logs of earlier releases may hold the others also, because an item of a bulk was recorded as it was spelled: whoever
 * looks for a command looks for every spelling, or a payment made then would be made again.
 */
export function keySpellings(text: string): readonly [string, ...string[]] {
  const content = QUOTED.exec(text)?.[1];
  if (content === undefined) return [text];
  return [text, ...keySpellings(content.replaceAll(/\\(["\\])/g, '$1'))];
}

/** The key that a spelling stands for. */
export function keySpelledAs(text: string): string {
  return keySpellings(text).at(-1) ?? text;
}

import { keyRule } from './attempt-fields.js';
import type { TextRule } from './field-rule.js';

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

/** The key that a spelling stands for. A key is never quoted itself, so `"\"a\""` is the key `a` too. */
export function keySpelledAs(text: string): string {
  const content = QUOTED.exec(text)?.[1];
  return content === undefined ? text : keySpelledAs(content.replaceAll(/\\(["\\])/g, '$1'));
}

/**
 * Every text that stands for the same key and may have been recorded: the one that arrived first, then the key itself, in quotes, in quotes of quotes, and so
 * on as long as a key may be.
 *
 * Commands are recorded under the key. Logs of earlier releases may hold the others also, because an item of a bulk was recorded as it was spelled: whoever
 * looks for a command looks for every spelling, or a payment made then would be made again.
 */
export function keySpellings(text: string): readonly [string, ...string[]] {
  const spellings: [string, ...string[]] = [text];
  // Each step at least doubles the quotation marks, so there are few.
  for (let spelled = keySpelledAs(text); keyRule.accepts(spelled); spelled = quoted(spelled))
    if (spelled !== text) spellings.push(spelled);
  return spellings;
}

function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
}

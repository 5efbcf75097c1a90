import { isUtf8 } from 'node:buffer';
import { errorMessage } from '@holdfast/kernel';
import { isExactNumber } from './exact-number.js';
import { jsonPointer } from './json-pointer.js';
import { numberAt, repeatedName } from './json-places.js';

/** Why a text was refused, and where. */
export class InvalidJson extends Error {
  override readonly name = 'InvalidJson';

  constructor(
    readonly reason: string,
    /** RFC 6901; empty for the document as a whole. */
    readonly pointer = '',
  ) {
    super(reason);
  }
}

/** Containers within containers. Deeper documents are attacks: nothing here nests more than five deep. */
export const JSON_DEPTH_MAX = 32;

/** Numbers that take a closer look to see whether they are exact: of more than 15 digits, or next to the smallest there are. Nothing here has any. */
const JSON_LONG_NUMBERS_MAX = 1_000;

/**
 * Parses JSON as RFC 7493 (I-JSON) narrows it, so that a document means the same to everybody who reads it: no name twice in one object
 * (`JSON.parse` silently keeps the last), no unpaired surrogate (it would be stored as another character), no number that would be
 * read as another, no `__proto__`, nothing but UTF-8. Throws `InvalidJson`.
 *
 * Cost: JSON.parse plus about half as much again. Names are not collected; instead the members seen in the text and in the parsed value
 * are counted, and only when the counts differ is the repeated name looked for. So is a number that is read as another.
 */
export function parseJson(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw new InvalidJson('the document is not UTF-8');
  const { members, surrogates, roundedAt } = surveyText(bytes);
  const text = bytes.toString();
  const value = parse(text);
  const counted = new ValueSurvey(surrogates).membersOf(value);
  if (counted !== members)
    throw new InvalidJson('the name appears twice in one object', repeatedName(text));
  if (roundedAt !== undefined)
    throw new InvalidJson(
      'the number would be rounded; send one that a double holds',
      numberAt(text, roundedAt),
    );
  return value;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const LOWER_U = 0x75;
/** ASCII letters differ from their lower case in this bit. */
const LOWER_CASE_BIT = 0x20;
const LOWER_D = 0x64;
const LOWER_E = 0x65;
const MINUS = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;

interface TextSurvey {
  readonly members: number;
  readonly surrogates: boolean;
  /** Which of the numbers, counted from 1, is the first that is read as another. */
  readonly roundedAt: number | undefined;
}

/**
 * One pass over the bytes before they are parsed. In a valid text every colon outside strings is one member; if the text is not
 * valid, parsing says so. The depth is limited here, before anything recursive sees the document.
 */
function surveyText(bytes: Buffer): TextSurvey {
  let members = 0;
  let depth = 0;
  let surrogates = false;
  let numbers = 0;
  let examined = 0;
  let roundedAt: number | undefined;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      for (at++; at < bytes.length; at++) {
        const inner = bytes[at];
        if (inner === QUOTE) break;
        if (inner !== BACKSLASH) continue;
        at++;
        // Escapes \uD800 to \uDFFF; \uD000 to \uD7FF too, which costs a look and harms nothing.
        if (bytes[at] === LOWER_U)
          surrogates ||= ((bytes[at + 1] ?? 0) | LOWER_CASE_BIT) === LOWER_D;
      }
    } else if (byte === COLON) {
      members++;
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth++;
      if (depth > JSON_DEPTH_MAX)
        throw new InvalidJson(`the document is nested more than ${JSON_DEPTH_MAX} deep`);
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth--;
    } else if (byte === MINUS || isDigit(byte)) {
      const number = surveyNumber(bytes, at);
      at = number.end - 1;
      numbers++;
      if (number.exact || roundedAt !== undefined) continue;
      if (++examined > JSON_LONG_NUMBERS_MAX)
        throw new InvalidJson(
          `the document has more than ${JSON_LONG_NUMBERS_MAX} very long numbers`,
        );
      if (!isExactNumber(bytes.toString('latin1', number.from, number.end))) roundedAt = numbers;
    }
  }
  return { members, surrogates, roundedAt };
}

/** Every decimal of so many digits is printed by a double as it was read (C calls it DBL_DIG), as long as the double is none of the smallest. */
const EXACT_DIGITS_MAX = 15;
const EXACT_EXPONENT_MAX = 290;

/** A number and where it ends, or where what is no valid number stops to look like one: parsing will say so. Not exact: to be looked at more closely. */
function surveyNumber(bytes: Buffer, from: number): { from: number; end: number; exact: boolean } {
  let at = bytes[from] === MINUS ? from + 1 : from;
  const negative = at > from;
  let digits = 0;
  let isZero = true;
  let isInteger = true;
  for (; isDigit(bytes[at]) || bytes[at] === POINT; at++) {
    if (bytes[at] === POINT) isInteger = false;
    else digits++;
    if (bytes[at] !== POINT && bytes[at] !== ZERO) isZero = false;
  }
  let exponent = 0;
  if (((bytes[at] ?? 0) | LOWER_CASE_BIT) === LOWER_E) {
    isInteger = false;
    at += bytes[at + 1] === PLUS || bytes[at + 1] === MINUS ? 2 : 1;
    for (; isDigit(bytes[at]); at++) exponent = exponent * 10 + (bytes[at] ?? ZERO) - ZERO;
  }
  // An integer without an exponent is exact, or too large, which is found in the value.
  const isShort = digits <= EXACT_DIGITS_MAX && exponent <= EXACT_EXPONENT_MAX;
  return {
    from,
    end: Math.max(at, from + 1),
    exact: !(negative && isZero) && (isInteger || isShort),
  };
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InvalidJson(`the document is not JSON: ${errorMessage(error)}`);
  }
}

/** Counts the members of a parsed value and refuses what the text could not say for everybody. */
class ValueSurvey {
  private readonly path: (string | number)[] = [];

  constructor(private readonly checksStrings: boolean) {}

  membersOf(value: unknown): number {
    if (typeof value === 'object' && value !== null)
      return Array.isArray(value)
        ? this.membersOfList(value)
        : this.membersOfObject(value as Readonly<Record<string, unknown>>);
    if (typeof value === 'number') this.checkNumber(value);
    else if (this.checksStrings && typeof value === 'string') this.checkString(value);
    return 0;
  }

  private membersOfList(values: readonly unknown[]): number {
    let members = 0;
    this.path.push(0);
    for (let index = 0; index < values.length; index++) {
      this.path[this.path.length - 1] = index;
      members += this.membersOf(values[index]);
    }
    this.path.pop();
    return members;
  }

  private membersOfObject(object: Readonly<Record<string, unknown>>): number {
    let members = 0;
    this.path.push('');
    for (const name in object) {
      this.path[this.path.length - 1] = name;
      if (name === '__proto__') this.refuse('the name __proto__ is not allowed');
      if (this.checksStrings) this.checkString(name);
      members += 1 + this.membersOf(object[name]);
    }
    this.path.pop();
    return members;
  }

  private checkNumber(value: number): void {
    if (!(Math.abs(value) <= Number.MAX_SAFE_INTEGER))
      this.refuse('the number is too large to be exact; send it as a string');
  }

  private checkString(text: string): void {
    if (!text.isWellFormed()) this.refuse('the text contains half of a surrogate pair');
  }

  private refuse(reason: string): never {
    throw new InvalidJson(reason, jsonPointer(this.path));
  }
}

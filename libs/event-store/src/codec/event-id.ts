/** Where each of the 16 bytes stands in `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`, and where the dashes. */
const DIGITS_AT = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34] as const;
const DASHES_AT = [8, 13, 18, 23] as const;
const TEXT_LENGTH = 36;
const DASH = 0x2d;
const DIGITS = Buffer.from('0123456789abcdef', 'latin1');
const NO_DIGIT = 0xff;
/** By character code; every code beyond the table is none either. */
const VALUE_OF_DIGIT = new Uint8Array(256).fill(NO_DIGIT);
DIGITS.forEach((character, value) => (VALUE_OF_DIGIT[character] = value));

/** Reused, because making a flat string from one buffer is the cheapest way there is. */
const text = Buffer.alloc(TEXT_LENGTH, DASH);

/**
 * Writes the 16 bytes of a UUID of any version. Returns false, with the bytes in any state, unless the id is in canonical text
 * form: lower case, so that one id has one form.
 */
export function writeEventId(target: Buffer, at: number, id: string): boolean {
  if (id.length !== TEXT_LENGTH) return false;
  let isCanonical = true;
  for (let index = 0; index < DIGITS_AT.length; index++) {
    const place = DIGITS_AT[index] as number;
    const high = VALUE_OF_DIGIT[id.charCodeAt(place)] ?? NO_DIGIT;
    const low = VALUE_OF_DIGIT[id.charCodeAt(place + 1)] ?? NO_DIGIT;
    if ((high | low) > 15) isCanonical = false;
    target[at + index] = (high << 4) | low;
  }
  for (const place of DASHES_AT) if (id.charCodeAt(place) !== DASH) isCanonical = false;
  return isCanonical;
}

export function readEventId(source: Buffer, at: number): string {
  for (let index = 0; index < DIGITS_AT.length; index++) {
    const place = DIGITS_AT[index] as number;
    const byte = source[at + index] as number;
    text[place] = DIGITS[byte >> 4] as number;
    text[place + 1] = DIGITS[byte & 15] as number;
  }
  return text.toString('latin1', 0, TEXT_LENGTH);
}

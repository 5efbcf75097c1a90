/** Where each of the 16 bytes stands in `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`. */
const TEXT_AT = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34] as const;
const TEXT_LENGTH = 36;
const CANONICAL = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const DIGITS = Buffer.from('0123456789abcdef', 'latin1');
const VALUE_OF_DIGIT = new Uint8Array(128);
DIGITS.forEach((character, value) => (VALUE_OF_DIGIT[character] = value));

/** Reused, because making a flat string from one buffer is the cheapest way there is. */
const text = Buffer.alloc(TEXT_LENGTH, '-');

/** A UUID of any version in canonical text form: lower case, so that one id has one form. */
export function isEventId(id: string): boolean {
  return typeof id === 'string' && CANONICAL.test(id);
}

/** Writes the 16 bytes of an id for which `isEventId` holds. */
export function writeEventId(target: Buffer, at: number, id: string): void {
  for (let index = 0; index < TEXT_AT.length; index++) {
    const place = TEXT_AT[index] as number;
    const high = VALUE_OF_DIGIT[id.charCodeAt(place)] as number;
    const low = VALUE_OF_DIGIT[id.charCodeAt(place + 1)] as number;
    target[at + index] = (high << 4) | low;
  }
}

export function readEventId(source: Buffer, at: number): string {
  for (let index = 0; index < TEXT_AT.length; index++) {
    const place = TEXT_AT[index] as number;
    const byte = source[at + index] as number;
    text[place] = DIGITS[byte >> 4] as number;
    text[place + 1] = DIGITS[byte & 15] as number;
  }
  return text.toString('latin1', 0, TEXT_LENGTH);
}

import { shown, shownList } from './shown.js';

export type Sign = 'positive' | 'negative';

/** How a file writes its amounts. */
export interface AmountFormat {
  /** Undefined when the mapping states none: `.` then, where the text leaves no doubt. */
  readonly decimalMark?: string | undefined;
  /** What groups digits, such as `,` or a space; undefined or empty for nothing. */
  readonly groupMark?: string | undefined;
  /** 12,345,678 or 1,23,45,678 */
  readonly grouping: 'thousands' | 'lakh';
  /** What may stand before or after a number and says nothing about its size. */
  readonly currency: readonly string[];
  /** What may stand there and says which sign it has, such as `DR` and `CR`. */
  readonly negative: readonly string[];
  readonly positive: readonly string[];
}

export interface WrittenAmount {
  /** Undefined when none is written. */
  readonly sign: Sign | undefined;
  /** Minor units: digits without a leading zero; "0" for nothing. */
  readonly minorUnits: string;
}

/**
 * `-1,234.5` with scale 2 is 123450 minor units, negative. By moving digits, never by arithmetic on floats: 0.29 × 100 is
 * 28.999999999999996. A string says why the text is no such amount; nothing is ever rounded or guessed.
 */
export function parseAmount(
  text: string,
  scale: number,
  format: AmountFormat,
): WrittenAmount | string {
  const { number, signs } = bareNumber(text.trim(), format);
  const [sign, other] = [...new Set(signs)];
  if (other !== undefined) return `${shown(text)} has two signs that contradict each other`;
  const doubt = ambiguity(number, scale, format);
  if (doubt !== undefined) return doubt;
  const [, whole, fraction = ''] = numberPattern(format).exec(number) ?? [];
  if (whole === undefined) return `${shown(text)} is not an amount${hint(number, format)}`;
  const significant = fraction.slice(0, lastIndexOfOther(fraction, '0') + 1);
  if (significant.length > scale)
    return `${shown(text)} has more than ${scale} decimal places, and amounts are never rounded`;
  const digits = whole.replace(/[^0-9]/g, '') + significant.padEnd(scale, '0');
  return { sign, minorUnits: digits.replace(/^0+(?=[0-9])/, '') };
}

/** In one pass, where a regular expression tries each zero before the last digit for the beginning of the end. */
function lastIndexOfOther(text: string, character: string): number {
  let at = text.length - 1;
  while (text[at] === character) at--;
  return at;
}

/** U+2212 is the minus sign of typesetters. */
const SIGNS: readonly (readonly [string, Sign])[] = [
  ['-', 'negative'],
  ['\u2212', 'negative'],
  ['+', 'positive'],
];

/** What is left without signs, sign words and currency at either end, each of which may stand there once. */
function bareNumber(text: string, format: AmountFormat): { number: string; signs: Sign[] } {
  const { currency, negative, positive } = format;
  const words = [
    ...negative.map((word) => [word, 'negative'] as const),
    ...positive.map((word) => [word, 'positive'] as const),
  ];
  const kinds: (readonly (readonly [string, Sign | undefined])[])[] = [
    longestFirst(currency.map((word) => [word, undefined] as const)),
    longestFirst(words),
    SIGNS,
  ];
  const signs: Sign[] = [];
  let number = text;
  let parentheses = false;
  for (let before; before !== number;) {
    before = number;
    const [, inner] = /^\((.*)\)$/s.exec(number) ?? [];
    if (inner !== undefined && !parentheses) {
      parentheses = true;
      signs.push('negative');
      number = inner.trim();
    }
    for (const marks of kinds) {
      const found = marks.find(([mark]) => number.startsWith(mark) || number.endsWith(mark));
      if (found === undefined) continue;
      const [mark, sign] = found;
      number = number.startsWith(mark) ? number.slice(mark.length) : number.slice(0, -mark.length);
      number = number.trim();
      if (sign !== undefined) signs.push(sign);
      kinds.splice(kinds.indexOf(marks), 1);
      break;
    }
  }
  return { number, signs };
}

function longestFirst<Mark extends readonly [string, Sign | undefined]>(
  marks: readonly Mark[],
): readonly Mark[] {
  return [...marks].sort(([one], [other]) => other.length - one.length);
}

/** A mapping that states no mark, and a text that is one number with a decimal mark, and another with a group mark. */
function ambiguity(number: string, scale: number, format: AmountFormat): string | undefined {
  const { decimalMark, groupMark } = format;
  if (decimalMark !== undefined || groupMark !== undefined || scale >= 3) return undefined;
  const [, whole, thousands] = /^([1-9][0-9]{0,2})[.,]([0-9]{3})$/.exec(number) ?? [];
  if (whole === undefined || thousands === undefined) return undefined;
  const decimal = `${whole}.${thousands}`.replace(/\.?0+$/, '');
  return `${shown(number)} may be ${decimal} or ${whole}${thousands}: name decimalMark in the mapping`;
}

/** A space also stands for those that do not break and those that are thin. */
const GROUP_MARKS: Readonly<Record<string, string>> = {
  ' ': '[ \\u00a0\\u202f\\u2009]',
  "'": "['\\u2019]",
  '.': '\\.',
  ',': ',',
};
const patterns = new Map<string, RegExp>();

/** Of a number without signs: its whole digits with their groups, and the digits behind the decimal mark. */
function numberPattern({ decimalMark = '.', groupMark = '', grouping }: AmountFormat): RegExp {
  const name = `${decimalMark} ${groupMark} ${grouping}`;
  const known = patterns.get(name);
  if (known !== undefined) return known;
  const group = GROUP_MARKS[groupMark];
  const grouped = {
    thousands: `[0-9]{1,3}(?:${group ?? ''}[0-9]{3})+`,
    lakh: `[0-9]{1,2}(?:${group ?? ''}[0-9]{2})*${group ?? ''}[0-9]{3}`,
  }[grouping];
  const whole = group === undefined ? '[0-9]+' : `[0-9]+|${grouped}`;
  const pattern = new RegExp(`^(${whole})(?:\\${decimalMark}([0-9]+))?$`);
  patterns.set(name, pattern);
  return pattern;
}

function hint(number: string, format: AmountFormat): string {
  if (!/[0-9]/.test(number)) return '';
  const { decimalMark = '.', groupMark = '', currency, negative, positive } = format;
  const [word] = /[\p{L}\p{Sc}]+/u.exec(number) ?? [];
  const words = [...currency, ...negative, ...positive];
  if (word !== undefined)
    return `: the mapping's currency, negative and positive do not name ${shown(word)}${words.length > 0 ? `, but ${shownList(words)}` : ''}`;
  const groups = groupMark === '' ? 'no groupMark' : `groupMark ${shown(groupMark)}`;
  return ` with decimalMark ${shown(decimalMark)} and ${groups}`;
}

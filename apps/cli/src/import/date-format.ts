import { DateTime, IANAZone, Info, Settings, type TokenParser } from 'luxon';
import { shown } from './shown.js';

/** Two digits are 1970 to 2069. */
Settings.twoDigitCutoffYear = 69;

/** Our tokens, what luxon calls them, and which part of a time they give. */
const TOKENS: Readonly<Record<string, { readonly luxon: string; readonly part: Part }>> = {
  YYYY: { luxon: 'yyyy', part: 'year' },
  YY: { luxon: 'yy', part: 'year' },
  MMMM: { luxon: 'MMMM', part: 'month' },
  MMM: { luxon: 'MMM', part: 'month' },
  MM: { luxon: 'MM', part: 'month' },
  M: { luxon: 'M', part: 'month' },
  DD: { luxon: 'dd', part: 'day' },
  D: { luxon: 'd', part: 'day' },
  HH: { luxon: 'HH', part: 'hour' },
  H: { luxon: 'H', part: 'hour' },
  hh: { luxon: 'hh', part: 'hour of 12' },
  h: { luxon: 'h', part: 'hour of 12' },
  mm: { luxon: 'mm', part: 'minute' },
  m: { luxon: 'm', part: 'minute' },
  ss: { luxon: 'ss', part: 'second' },
  s: { luxon: 's', part: 'second' },
  SSS: { luxon: 'SSS', part: 'millisecond' },
  A: { luxon: 'a', part: 'half of the day' },
  Z: { luxon: 'Z', part: 'offset' },
};

type Part =
  | 'year'
  | 'month'
  | 'day'
  | 'hour'
  | 'hour of 12'
  | 'minute'
  | 'second'
  | 'millisecond'
  | 'half of the day'
  | 'offset';

/** What luxon reads of `+02:00`, `+0200` and `Z`, each with a token of its own. */
const OFFSETS = ['ZZ', 'ZZZ', "'Z'"];
const OFFSET_MINUTES_MAX = 14 * 60;
const HOURS_OF_HALF = 12;

/** Those of one digit or two, by luxon's names; an offset ends in one or the other, too. */
const WIDE: Readonly<Record<string, string>> = {
  ...{ M: 'M', d: 'D', H: 'H', h: 'h', m: 'm', s: 's', Z: 'Z' },
};
const DIGITS = /^(?:yyyy|yy|MM|dd|HH|hh|mm|ss|SSS)$/;

/** Luxon takes years of three digits for `yy`. */
const SHORT_YEARS = { first: 1970, last: 2069 };

/** Instead of those of 12. */
const HOURS_OF_DAY: Readonly<Record<string, string>> = { h: 'H', hh: 'HH' };

export interface DateFormatOptions {
  readonly format: string;
  /** IANA name; UTC when undefined. */
  readonly timeZone?: string | undefined;
  /** Of month names; English when undefined. */
  readonly locale?: string | undefined;
  /** Of a mapping that was taken once, and by which nothing is posted any more. */
  readonly anyCalendar?: boolean;
}

/** How a file writes its times: `YYYY-MM-DD`, `D. MMMM YYYY H:mm`. What is not written is 0. */
export class DateFormat {
  readonly #parsers: readonly TokenParser[];
  /** They take the hour as it is written, before or after noon. */
  readonly #hourParsers: readonly TokenParser[];

  private constructor(
    readonly format: string,
    readonly timeZone: string,
    readonly locale: string,
    private readonly parts: readonly Part[],
    private readonly luxon: {
      readonly written: readonly string[];
      readonly hours: readonly string[];
      readonly hasShortYear: boolean;
    },
  ) {
    const parserOf = (each: string) => DateTime.buildFormatParser(each, this.names());
    this.#parsers = luxon.written.map(parserOf);
    this.#hourParsers = parts.includes('hour of 12') ? luxon.hours.map(parserOf) : [];
  }

  /** A string says what is wrong with the options, and begins with the option's name. */
  static parse(options: DateFormatOptions): DateFormat | string {
    const { format, timeZone, locale = 'en', anyCalendar = false } = options;
    const pieces = piecesOf(format);
    if (typeof pieces === 'string') return `format ${pieces}`;
    const parts = pieces.flatMap(({ part }) => (part === undefined ? [] : [part]));
    const problem = problemOf(parts) ?? runningTogether(pieces);
    if (problem !== undefined) return `format ${problem}`;
    const hasOffset = parts.includes('offset');
    if (hasOffset && timeZone !== undefined)
      return 'timeZone must be left out: the format has the offset, Z';
    if (timeZone !== undefined && !IANAZone.isValidZone(timeZone))
      return 'timeZone must be the name of a time zone, such as Europe/Berlin';
    if (!isLocale(locale)) return 'locale must be the name of a language, such as de or en-GB';
    // Its months would be taken for those of the other calendar, and its years for years AD.
    if (!anyCalendar && calendarOf(locale) !== GREGORIAN)
      return `locale must be of the Gregorian calendar, and ${locale} has ${calendarOf(locale)}: ${new Intl.Locale(locale, { calendar: GREGORIAN }).toString()} has the same language`;
    const offsets = hasOffset ? OFFSETS : [''];
    const written = offsets.map((offset) => luxonFormat(pieces, { offset }));
    const hours = offsets.flatMap((offset) =>
      Info.meridiems({ locale }).map((half) =>
        luxonFormat(pieces, { offset, 'half of the day': literal(half).luxon }, HOURS_OF_DAY),
      ),
    );
    const hasShortYear = pieces.some(({ luxon }) => luxon === TOKENS['YY']?.luxon);
    return new DateFormat(format, timeZone ?? 'UTC', locale, parts, {
      ...{ written, hours, hasShortYear },
    });
  }

  /** Milliseconds since 1970 UTC. A string says why the text is no such time; 30 February is none. */
  millis(text: string): number | string {
    const written = this.written(text);
    if (written === undefined)
      return `${shown(text)} is not a time like ${this.format}${this.locale === 'en' ? '' : ` (${this.locale})`}`;
    if (this.has('offset')) return written.toMillis();
    const local = written.setZone(this.timeZone, { keepLocalTime: true });
    const hasHour = this.has('hour') || this.has('hour of 12');
    // Luxon moves a time that a clock change skips, and takes either of those that come twice. A day begins when it begins.
    const isMoved = local.hour !== written.hour || local.minute !== written.minute;
    // Where a zone has changed sides of the date line a whole day is missing.
    if ((hasHour && isMoved) || local.toISODate() !== written.toISODate())
      return `${shown(text)} does not exist in ${this.timeZone}: the clocks skip it`;
    return Math.min(...local.getPossibleOffsets().map((time) => time.toMillis()));
  }

  /** As if it were UTC, unless its offset is written. */
  private written(text: string): DateTime | undefined {
    const time = this.read(text, this.#parsers);
    if (time === undefined || Math.abs(time.offset) > OFFSET_MINUTES_MAX) return undefined;
    const { first, last } = SHORT_YEARS;
    if (this.luxon.hasShortYear && (time.year < first || time.year > last)) return undefined;
    if (!this.has('hour of 12')) return time;
    // Luxon takes 13 PM and 0 AM; no clock shows them.
    const hour = this.read(text, this.#hourParsers)?.hour ?? 0;
    return hour >= 1 && hour <= HOURS_OF_HALF ? time : undefined;
  }

  private read(text: string, parsers: readonly TokenParser[]): DateTime | undefined {
    const options = { ...this.names(), zone: 'utc', setZone: true };
    return parsers
      .map((parser) => DateTime.fromFormatParser(text, parser, options))
      .find(({ isValid }) => isValid);
  }

  private names() {
    return { locale: this.locale, numberingSystem: 'latn' } as const;
  }

  private has(part: Part): boolean {
    return this.parts.includes(part);
  }
}

interface Piece {
  readonly luxon: string;
  readonly part?: Part;
  /** What stands for itself. */
  readonly text?: string;
}

/** Punctuation, spaces and `T` stand for themselves, and so does everything in brackets. */
function piecesOf(format: string): readonly Piece[] | string {
  const pieces: Piece[] = [];
  for (const [piece, letters] of format.matchAll(/\[[^\]]*\]|(([A-Za-z])\2*)|[^]/gu)) {
    const token = TOKENS[piece];
    if (token !== undefined) pieces.push(token);
    else if (piece.startsWith('[') && piece.length > 1) pieces.push(literal(piece.slice(1, -1)));
    else if (piece !== 'T' && /[\p{L}\p{N}[\]]/u.test(piece))
      return letters === undefined && /[0-9]/.test(piece)
        ? `has the digit ${piece}, which must be in brackets if every time has it; an offset such as +02:00 is Z`
        : `has ${shown(piece)}, which is none of ${Object.keys(TOKENS).join(', ')}; text goes in brackets, such as [at]`;
    else pieces.push(literal(piece));
  }
  return pieces;
}

function luxonFormat(
  pieces: readonly Piece[],
  parts: Partial<Record<Part, string>>,
  tokens: Readonly<Record<string, string>> = {},
): string {
  return pieces.map(({ luxon, part }) => (part && parts[part]) ?? tokens[luxon] ?? luxon).join('');
}

/** Within quotes luxon takes everything as it is; a quote itself is two of them. */
function literal(text: string): Piece {
  const quoted = text.split("'").map((part) => (part === '' ? '' : `'${part}'`));
  return { luxon: quoted.join("''"), text };
}

/** Two numbers without a fixed width, and nothing but digits between them: 1112025 may be 1 November or 11 January. */
function runningTogether(pieces: readonly Piece[]): string | undefined {
  let before: string | undefined;
  for (const { luxon, part, text } of pieces) {
    const wide = part && WIDE[luxon];
    if (wide !== undefined && wide !== 'Z' && before !== undefined)
      return `must have something between ${before} and ${wide} that is no digit: it cannot be told where the one ends`;
    if (wide !== undefined) before = wide;
    else if (!(text === undefined ? DIGITS : /^[0-9]*$/).test(text ?? luxon)) before = undefined;
  }
  return undefined;
}

function problemOf(parts: readonly Part[]): string | undefined {
  const has = (part: Part): boolean => parts.includes(part);
  if (new Set(parts).size < parts.length) return 'must have each part once';
  if (!has('year') || !has('month') || !has('day'))
    return 'must have a year (YYYY or YY), a month (M, MM, MMM or MMMM) and a day (D or DD)';
  if (has('hour') && has('hour of 12')) return 'must have H or h, not both';
  if (has('hour of 12') !== has('half of the day'))
    return 'must have h and A together: hours of 12 need AM and PM';
  const clock = [has('hour') || has('hour of 12'), has('minute'), has('second')];
  if (clock.some((there, index) => there && clock.slice(0, index).includes(false)))
    return 'must have the hour before the minute, and the minute before the second';
  if (has('millisecond') && !has('second')) return 'must have a second, s, with SSS';
  return undefined;
}

const GREGORIAN = 'gregory';

function calendarOf(locale: string): string {
  return new Intl.DateTimeFormat(locale).resolvedOptions().calendar;
}

function isLocale(locale: string): boolean {
  try {
    return Intl.DateTimeFormat.supportedLocalesOf(locale).length > 0;
  } catch {
    return false;
  }
}

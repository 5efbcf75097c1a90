import { instantMillis, instantText } from '@holdfast/ledger';

const FIELDS: Readonly<Record<string, string>> = {
  YYYY: '(?<year>[0-9]{4})',
  MM: '(?<month>[0-9]{2})',
  DD: '(?<day>[0-9]{2})',
  HH: '(?<hour>[0-9]{2})',
  mm: '(?<minute>[0-9]{2})',
  ss: '(?<second>[0-9]{2})',
};
const REQUIRED = ['YYYY', 'MM', 'DD'];

/** How a file writes its times: `YYYY-MM-DD`, `DD.MM.YYYY HH:mm:ss`. They are UTC; what is not written is 0. */
export class DateFormat {
  private constructor(
    readonly format: string,
    private readonly pattern: RegExp,
  ) {}

  /** Undefined when a date's part is missing or given twice. */
  static parse(format: string): DateFormat | undefined {
    const fields: readonly string[] = format.match(/YYYY|MM|DD|HH|mm|ss/g) ?? [];
    const complete = REQUIRED.every((field) => fields.includes(field));
    if (!complete || new Set(fields).size !== fields.length) return undefined;
    const source = format.replace(
      /YYYY|MM|DD|HH|mm|ss|[^A-Za-z0-9]/g,
      (found) => FIELDS[found] ?? `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
    return new DateFormat(format, new RegExp(`^${source}$`));
  }

  /** `2026-11-23T10:00:00.000Z`, or undefined when the text is no such time; 30 February is none. */
  instant(text: string): string | undefined {
    const { year, month, day, hour, minute, second } = this.pattern.exec(text)?.groups ?? {};
    if (year === undefined || month === undefined || day === undefined) return undefined;
    const millis = instantMillis(
      `${year}-${month}-${day}T${hour ?? '00'}:${minute ?? '00'}:${second ?? '00'}Z`,
    );
    return millis === undefined ? undefined : instantText(millis);
  }
}

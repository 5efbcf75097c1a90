import { describe, expect, it } from '@jest/globals';
import { DateFormat, type DateFormatOptions } from './date-format.js';

function millis(text: string, options: string | DateFormatOptions): number | string {
  const format = DateFormat.parse(typeof options === 'string' ? { format: options } : options);
  if (typeof format === 'string') throw new Error(format);
  return format.millis(text);
}

const BERLIN = { format: 'YYYY-MM-DD HH:mm', timeZone: 'Europe/Berlin' };

describe('a date in a file', () => {
  it.each<[string, string | DateFormatOptions, string]>([
    ['2025-06-01', 'YYYY-MM-DD', '2025-06-01T00:00:00.000Z'],
    ['01.06.2025 23:59:58', 'DD.MM.YYYY HH:mm:ss', '2025-06-01T23:59:58.000Z'],
    ['1/6/2025', 'D/M/YYYY', '2025-06-01T00:00:00.000Z'],
    ['6/11/25', 'M/D/YY', '2025-06-11T00:00:00.000Z'],
    ['1.1.70', 'D.M.YY', '1970-01-01T00:00:00.000Z'],
    ['1.1.69', 'D.M.YY', '2069-01-01T00:00:00.000Z'],
    ['20250601', 'YYYYMMDD', '2025-06-01T00:00:00.000Z'],
    ['1062025 905', 'DMMYYYY Hmm', '2025-06-01T09:05:00.000Z'],
    ['11062025 1005', 'DMMYYYY Hmm', '2025-06-11T10:05:00.000Z'],
    ['2025-06-01T10:20:30.456', 'YYYY-MM-DDTHH:mm:ss.SSS', '2025-06-01T10:20:30.456Z'],
    ['01 Jun 2025', 'DD MMM YYYY', '2025-06-01T00:00:00.000Z'],
    ['JUNE 1, 2025', 'MMMM D, YYYY', '2025-06-01T00:00:00.000Z'],
    ['1. März 2025', { format: 'D. MMMM YYYY', locale: 'de' }, '2025-03-01T00:00:00.000Z'],
    ['1 févr. 2025', { format: 'D MMM YYYY', locale: 'fr' }, '2025-02-01T00:00:00.000Z'],
    ['1/6/2025 12:05 AM', 'D/M/YYYY h:mm A', '2025-06-01T00:05:00.000Z'],
    ['1/6/2025 1:05 pm', 'D/M/YYYY h:mm A', '2025-06-01T13:05:00.000Z'],
    ['1/6/2025 12:05 PM', 'D/M/YYYY hh:mm A', '2025-06-01T12:05:00.000Z'],
    ['2025-06-01T00:30+02:00', 'YYYY-MM-DDTHH:mmZ', '2025-05-31T22:30:00.000Z'],
    ['2025-06-01T00:30-0330', 'YYYY-MM-DDTHH:mmZ', '2025-06-01T04:00:00.000Z'],
    ['2025-06-01T00:30Z', 'YYYY-MM-DDTHH:mmZ', '2025-06-01T00:30:00.000Z'],
    ["2025-06-01 at 5 o'clock", "YYYY-MM-DD [at] H [o'clock]", '2025-06-01T05:00:00.000Z'],
    ['2025-06-01 00:30', BERLIN, '2025-05-31T22:30:00.000Z'],
    ['2025-12-01 00:30', BERLIN, '2025-11-30T23:30:00.000Z'],
    ['2025-10-26 02:30', BERLIN, '2025-10-26T00:30:00.000Z'],
    ['2011-12-31', { format: 'YYYY-MM-DD', timeZone: 'Pacific/Apia' }, '2011-12-30T10:00:00.000Z'],
    [
      '2018-11-04',
      { format: 'YYYY-MM-DD', timeZone: 'America/Sao_Paulo' },
      '2018-11-04T03:00:00.000Z',
    ],
  ])('%j as %j is %s', (text, options, instant) => {
    expect(new Date(Number(millis(text, options))).toISOString()).toBe(instant);
  });

  it.each<[string, string | DateFormatOptions, string]>([
    ['2025-02-30', 'YYYY-MM-DD', '"2025-02-30" is not a time like YYYY-MM-DD'],
    ['2025-6-1', 'YYYY-MM-DD', 'is not a time like'],
    ['2025-06-01x', 'YYYY-MM-DD', 'is not a time like'],
    ['1.6.202', 'D.M.YY', 'is not a time like'],
    ['0106202', 'DDMMYY', 'is not a time like'],
    ['01.13.2025', 'DD.MM.YYYY', 'is not a time like'],
    ['1 Mai 2025', 'D MMM YYYY', 'is not a time like'],
    ['1 May 2025', { format: 'D MMM YYYY', locale: 'de' }, 'is not a time like D MMM YYYY (de)'],
    ['1/6/2025 13:05 PM', 'D/M/YYYY h:mm A', 'is not a time like'],
    ['1/6/2025 0:05 AM', 'D/M/YYYY h:mm A', 'is not a time like'],
    ['2025-06-01T00:30', 'YYYY-MM-DDTHH:mmZ', 'is not a time like'],
    ['2025-06-01T00:30+99:00', 'YYYY-MM-DDTHH:mmZ', 'is not a time like'],
    ['2025-06-01\u200b', 'YYYY-MM-DD', '"2025-06-01\\u200b" is not'],
    ['2025-03-30 02:30', BERLIN, 'does not exist in Europe/Berlin: the clocks skip it'],
    ['2011-12-30 10:00', { ...BERLIN, timeZone: 'Pacific/Apia' }, 'does not exist in Pacific/Apia'],
    [
      '2011-12-30',
      { format: 'YYYY-MM-DD', timeZone: 'Pacific/Apia' },
      'does not exist in Pacific/Apia',
    ],
  ])('%j as %j is refused', (text, options, problem) => {
    expect(millis(text, options)).toEqual(expect.stringContaining(problem));
  });

  it.each(['fa', 'fa-IR', 'ps', 'th', 'ar-SA-u-ca-islamic', 'en-u-ca-islamic', 'de-u-ca-hebrew'])(
    'has no locale with another calendar: %s',
    (locale) => {
      const format = DateFormat.parse({ format: 'D MMMM YYYY', locale });
      expect(format).toMatch(/^locale must be of the Gregorian calendar.*-u-ca-gregory/);
    },
  );

  it.each([
    ['th-u-ca-gregory', '1 มกราคม 2024'],
    ['fa-u-ca-gregory', '1 ژانویه 2024'],
    ['ar-SA-u-ca-gregory', '1 يناير 2024'],
    ['en-GB', '1 January 2024'],
  ])('may have the months of the Gregorian calendar in any language: %s', (locale, text) => {
    const instant = millis(text, { format: 'D MMMM YYYY', locale });
    expect(instant).toBe(Date.UTC(2024, 0, 1));
  });

  it.each<[DateFormatOptions, string]>([
    [{ format: 'YYYY-MM' }, 'format must have a year'],
    [{ format: 'DMYYYY' }, 'format must have something between D and M that is no digit'],
    [{ format: 'YYYYMMDD Hms' }, 'format must have something between H and m'],
    [{ format: 'DYYYYM' }, 'format must have something between D and M'],
    [{ format: 'D[1]M.YYYY' }, 'format must have something between D and M'],
    [{ format: 'YYYYMM HHZD' }, 'format must have something between Z and D'],
    [{ format: 'YYYY-MM-DD DD' }, 'format must have each part once'],
    [
      { format: 'YYYY-MM-DDTHH:mm+02:00' },
      'format has the digit 0, which must be in brackets if every time has it; an offset such as +02:00 is Z',
    ],
    [{ format: 'YYYY-MM-DD at HH:mm' }, 'format has "a", which is none of YYYY'],
    [{ format: 'yyyy-MM-dd' }, 'format has "yyyy", which is none of'],
    [{ format: 'YYYY-MM-DD [at' }, 'format has "["'],
    [{ format: 'YYYY-MM-DD hh:mm' }, 'format must have h and A together'],
    [{ format: 'YYYY-MM-DD HH:mm A' }, 'format must have h and A together'],
    [{ format: 'YYYY-MM-DD mm' }, 'format must have the hour before the minute'],
    [{ format: 'YYYY-MM-DD', timeZone: 'Berlin' }, 'timeZone must be the name of a time zone'],
    [{ format: 'YYYY-MM-DDTHHZ', timeZone: 'UTC' }, 'timeZone must be left out'],
    [{ format: 'YYYY-MM-DD', locale: 'deutsch!' }, 'locale must be the name of a language'],
  ])('has no format %j', (options, problem) => {
    expect(DateFormat.parse(options)).toEqual(expect.stringContaining(problem));
  });
});

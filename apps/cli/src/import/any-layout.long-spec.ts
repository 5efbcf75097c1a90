import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import iconv from 'iconv-lite';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromItsEnd, openCsv } from './csv-rows.js';
import { columnsOf, parseMapping } from './mapping.js';
import { RowMapper } from './row-mapper.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** What a file is made of: a transfer, whose amount is negative for what goes out. */
interface Known {
  readonly units: bigint;
  readonly millis: number;
  readonly text: string;
}

/** How an amount is written with its sign: columns and values of a row, and what the mapping says of them. */
interface SignStyle {
  readonly amount: object;
  readonly columns: readonly string[];
  readonly write: (digits: string, negative: boolean) => readonly string[];
}

const one = (amount: object, write: (digits: string, negative: boolean) => string): SignStyle => ({
  amount: { column: 'amount', ...amount },
  columns: ['amount'],
  write: (digits, negative) => [write(digits, negative)],
});

const SIGNS: readonly SignStyle[] = [
  one({}, (digits, negative) => `${negative ? '-' : ''}${digits}`),
  one({}, (digits, negative) => `${negative ? '-' : '+'}${digits}`),
  one({}, (digits, negative) => `${digits}${negative ? '-' : ''}`),
  one({}, (digits, negative) => (negative ? `(${digits})` : digits)),
  one({ currency: ['kr', 'k'] }, (digits, negative) => `${negative ? '- ' : ''}kr ${digits}`),
  one({ currency: ['EUR'] }, (digits, negative) => (negative ? `(${digits} EUR)` : `${digits}EUR`)),
  one(
    { negative: ['D', 'DR'], positive: ['CR'] },
    (digits, negative) => `${digits} ${negative ? 'DR' : 'CR'}`,
  ),
  {
    amount: { column: 'amount', sign: { column: 'side', negative: ['S'], positive: ['H', ''] } },
    columns: ['amount', 'side'],
    write: (digits, negative) => [digits, negative ? 'S' : 'H'],
  },
  {
    amount: { in: 'in', out: 'out' },
    columns: ['in', 'out'],
    write: (digits, negative) => (negative ? ['', digits] : [digits, '0']),
  },
  {
    amount: { in: 'in', out: 'out', outWritten: 'negative' },
    columns: ['out', 'in'],
    write: (digits, negative) => (negative ? [`-${digits}`, ''] : ['', digits]),
  },
];

/** In an encoding that has no such character, a mark is not written. */
const GROUPS: readonly { readonly groupMark: string; readonly written: string }[] = [
  { groupMark: '', written: '' },
  { groupMark: ' ', written: ' ' },
  { groupMark: ' ', written: '\u00a0' },
  { groupMark: "'", written: "'" },
  { groupMark: ',', written: ',' },
  { groupMark: '.', written: '.' },
];

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');
const two = (number: number): string => String(number).padStart(2, '0');

/** Formats, how precise they are, and how they are written; without the library that reads them. */
const TIMES: readonly {
  readonly options: object;
  readonly precision: number;
  readonly write: (time: Date) => string;
}[] = [
  {
    options: { format: 'YYYY-MM-DD' },
    precision: 24 * 60 * MINUTE,
    write: (time) => time.toISOString().slice(0, 10),
  },
  {
    options: { format: 'D.M.YY' },
    precision: 24 * 60 * MINUTE,
    write: (time) =>
      `${time.getUTCDate()}.${time.getUTCMonth() + 1}.${two(time.getUTCFullYear() % 100)}`,
  },
  {
    options: { format: 'M/D/YYYY h:mm A' },
    precision: MINUTE,
    write: (time) => {
      const hour = time.getUTCHours();
      const date = `${time.getUTCMonth() + 1}/${time.getUTCDate()}/${time.getUTCFullYear()}`;
      return `${date} ${hour % 12 || 12}:${two(time.getUTCMinutes())} ${hour < 12 ? 'AM' : 'PM'}`;
    },
  },
  {
    options: { format: 'DD MMM YYYY [at] HH:mm:ss' },
    precision: SECOND,
    write: (time) =>
      `${two(time.getUTCDate())} ${MONTHS[time.getUTCMonth()]!} ${time.getUTCFullYear()} at ${time.toISOString().slice(11, 19)}`,
  },
  ...[
    { offset: '+05:30', minutes: 330 },
    { offset: '-0330', minutes: -210 },
    { offset: 'Z', minutes: 0 },
  ].map(({ offset, minutes }) => ({
    options: { format: 'YYYY-MM-DDTHH:mm:ss.SSSZ' },
    precision: 1,
    write: (time: Date) =>
      `${new Date(time.getTime() + minutes * MINUTE).toISOString().slice(0, -1)}${offset}`,
  })),
  {
    // Five hours behind UTC since 1908.
    options: { format: 'YYYYMMDD HHmm', timeZone: 'America/Panama' },
    precision: MINUTE,
    write: (time) => {
      const local = new Date(time.getTime() - 5 * 60 * MINUTE).toISOString();
      return local.slice(0, 16).replaceAll(/[-:]/g, '').replace('T', ' ');
    },
  },
];

const ENCODINGS = [
  { encoding: undefined, written: 'utf8', addBOM: false, letters: 'aé€Ł😀' },
  { encoding: undefined, written: 'utf8', addBOM: true, letters: 'aé€Ł😀' },
  { encoding: undefined, written: 'utf-16le', addBOM: true, letters: 'aé€Ł😀' },
  { encoding: 'windows-1252', written: 'utf-16be', addBOM: true, letters: 'aé€Ł😀' },
  { encoding: 'utf-16be', written: 'utf-16be', addBOM: false, letters: 'aé€Ł😀' },
  { encoding: 'windows-1252', written: 'windows-1252', addBOM: false, letters: 'aé€' },
  { encoding: 'latin1', written: 'windows-1252', addBOM: false, letters: 'aé€' },
  { encoding: 'gb18030', written: 'gb18030', addBOM: false, letters: 'a中€' },
] as const;

const layouts = fc
  .record({
    encoding: fc.constantFrom(...ENCODINGS),
    delimiter: fc.constantFrom(',', ';', '\t', '|', '~~'),
    quote: fc.constantFrom('"', "'"),
    quoteAll: fc.boolean(),
    lineEnd: fc.constantFrom('\n', '\r\n', '\r'),
    decimalMark: fc.constantFrom('.', ','),
    group: fc.constantFrom(...GROUPS),
    grouping: fc.constantFrom('thousands', 'lakh'),
    scale: fc.integer({ min: 0, max: 4 }),
    sign: fc.constantFrom(...SIGNS),
    time: fc.constantFrom(...TIMES),
    newestFirst: fc.boolean(),
    headed: fc.boolean(),
    preamble: fc.array(fc.constantFrom('', 'Statement "x', "of; 'May'", '"a","b', 'id,amount'), {
      maxLength: 4,
    }),
    footer: fc.boolean(),
    pad: fc.constantFrom('', ' ', '  '),
  })
  .filter(({ decimalMark, group }) => decimalMark !== group.groupMark);

type Layout = typeof layouts extends fc.Arbitrary<infer Value> ? Value : never;

const transfers = fc.array(
  fc.record({
    units: fc
      .oneof(fc.bigInt({ min: 1n, max: 10n ** 7n }), fc.bigInt({ min: 1n, max: 10n ** 20n }))
      .chain((units) => fc.constantFrom(units, -units)),
    // Within what two digits of a year can say.
    millis: fc.integer({ min: 0, max: Date.UTC(2069, 0) }),
    letters: fc.array(fc.nat({ max: 9 }), { maxLength: 8 }),
  }),
  { maxLength: 12 },
);

describe('a file in any layout', () => {
  let directory: string;

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'layout-'));
  });

  afterAll(() => rmSync(directory, { recursive: true }));

  it('gives the transfers that it was made of, in their order', async () => {
    await fc.assert(
      fc.asyncProperty(layouts, transfers, async (layout, drawn) => {
        // An empty file is refused.
        fc.pre(layout.headed || drawn.length > 0);
        const known = drawn.map(({ units, millis, letters }) => ({
          ...{ units, millis: millis - (millis % layout.time.precision) },
          text: textOf(letters, layout),
        }));
        const path = join(directory, 'rows.csv');
        writeFileSync(path, fileOf(known, layout));
        expect(await mapped(path, layout)).toEqual(known.map((each, index) => told(each, index)));
      }),
      { numRuns: 200 },
    );
  });
});

/** Anything that a bank may write into a text, and that the encoding has. */
function textOf(picks: readonly number[], { encoding, delimiter, quote }: Layout): string {
  const pieces = [
    ...Array.from(encoding.letters),
    delimiter,
    quote,
    `${quote}${quote}`,
    '\r\n',
    '\n',
    ' ',
  ];
  return picks.map((pick) => pieces[pick % pieces.length]!).join('');
}

function fileOf(known: readonly Known[], layout: Layout): Buffer {
  const { sign, time, lineEnd, newestFirst, headed, preamble, footer, encoding } = layout;
  const header = ['id', 'note', ...sign.columns, 'when', 'text', 'note'];
  const rows = known.map(({ units, millis, text }, index) => [
    ...[`row ${index}`, ''],
    ...sign.write(digitsOf(units < 0n ? -units : units, layout), units < 0n),
    ...[time.write(new Date(millis)), text, 'x'],
  ]);
  if (newestFirst) rows.reverse();
  const lines = [
    ...(headed ? preamble : []),
    ...[...(headed ? [header] : []), ...rows].map((fields) => recordOf(fields, layout)),
    ...(footer ? ['Total: 0'] : []),
  ];
  const text = lines.map((line) => `${line}${lineEnd}`).join('');
  return iconv.encode(text, encoding.written, { addBOM: encoding.addBOM });
}

function digitsOf(units: bigint, { scale, decimalMark, group, grouping }: Layout): string {
  const digits = String(units).padStart(scale + 1, '0');
  let whole = digits.slice(0, digits.length - scale);
  const groups: string[] = [];
  for (let size = 3; whole.length > size && group.written !== '';) {
    groups.unshift(whole.slice(-size));
    whole = whole.slice(0, -size);
    size = grouping === 'lakh' ? 2 : 3;
  }
  const fraction = scale === 0 ? '' : `${decimalMark}${digits.slice(-scale)}`;
  return `${[whole, ...groups].join(group.written)}${fraction}`;
}

function recordOf(fields: readonly string[], { delimiter, quote, quoteAll, pad }: Layout): string {
  const written = fields.map((field) => {
    const special = [delimiter, quote, '\r', '\n'].some((mark) => field.includes(mark));
    if (!special && !quoteAll) return `${pad}${field}${pad}`;
    return `${pad}${quote}${field.replaceAll(quote, quote + quote)}${quote}${pad}`;
  });
  return written.join(delimiter);
}

async function mapped(path: string, layout: Layout): Promise<unknown[]> {
  const { encoding, delimiter, quote, sign, time, decimalMark, group, grouping, scale } = layout;
  const columns = ['id', 'note', ...sign.columns, 'when', 'text', 'note'];
  const mapping = parseMapping(
    'm.json',
    JSON.stringify({
      name: 'm',
      csv: {
        ...{ delimiter, quote, ignoreLines: [{ startsWith: 'Total' }] },
        ...(encoding.encoding !== undefined && { encoding: encoding.encoding }),
        ...(!layout.headed && { columns }),
      },
      asset: { code: 'EUR', scale },
      row: {
        id: '{id}',
        amount: { ...sign.amount, decimalMark, groupMark: group.groupMark, grouping },
        effectiveAt: { column: 'when', ...time.options },
        metadata: { text: '{text}' },
      },
      accounts: {
        bank: { id: 'bank', normalSide: 'debit' },
        open: { id: 'open', normalSide: 'credit' },
      },
      rules: [
        { debit: 'bank', credit: 'open' },
        { sign: 'negative', debit: 'open', credit: 'bank' },
      ],
    }),
  );
  const mapper = new RowMapper(mapping, 'main');
  const file = await openCsv(path, mapping.csv, columnsOf(mapping));
  const found: unknown[] = [];
  for await (const row of (layout.newestFirst ? fromItsEnd(file) : file).rows) {
    const result = mapper.map(row);
    if (result.kind === 'refused') found.push(result.reason);
    if (result.kind !== 'transfer') continue;
    const { legs, effectiveAt, metadata } = result.transfer;
    found.push({ id: result.id, legs, effectiveAt, text: metadata?.['text'] ?? '' });
  }
  return found;
}

function told({ units, millis, text }: Known, index: number): object {
  const [debited, credited] = units < 0n ? ['open', 'bank'] : ['bank', 'open'];
  const amount = String(units < 0n ? -units : units);
  return {
    id: `row%20${index}`,
    legs: [
      { accountId: debited, side: 'debit', amount },
      { accountId: credited, side: 'credit', amount },
    ],
    effectiveAt: new Date(millis).toISOString(),
    text: text.trim().replace(/\r\n?/g, '\n'),
  };
}

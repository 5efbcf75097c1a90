import { type AmountFormat, type Sign, type WrittenAmount, parseAmount } from './amount.js';
import { shown, shownList } from './shown.js';
import type { Row } from './template.js';

/** Where a row has its amount, and how it is written. */
export type AmountMapping = AmountFormat &
  (
    | { readonly column: string; readonly sign?: SignColumn | undefined }
    | {
        /** Columns of their own for what comes in and what goes out. */
        readonly in: string;
        readonly out: string;
        /** Whether what goes out is written with a minus sign. */
        readonly outWritten: Sign;
      }
  );

/** A column that says which sign the amount has. */
export interface SignColumn {
  readonly column: string;
  readonly negative: readonly string[];
  readonly positive: readonly string[];
}

export interface SignedAmount {
  readonly negative: boolean;
  /** Minor units: digits without a leading zero; "0" for nothing. */
  readonly minorUnits: string;
}

export function amountColumns(amount: AmountMapping): readonly string[] {
  if ('in' in amount) return [amount.in, amount.out];
  return [amount.column, ...(amount.sign === undefined ? [] : [amount.sign.column])];
}

/** A string says why the row has no such amount, and begins with the column. */
export function rowAmount(row: Row, scale: number, amount: AmountMapping): SignedAmount | string {
  if ('in' in amount) return ofTwoColumns(row, scale, amount);
  const { column, sign } = amount;
  const written = columnAmount(row, column, scale, amount);
  if (typeof written === 'string') return written;
  if (sign === undefined) return signed(written, written.sign);
  const told = signOf(row, sign);
  if (told === undefined)
    return `${sign.column}: ${shown(row[sign.column] ?? '')} is no sign; there are ${shownList([...sign.negative, ...sign.positive])}`;
  if (written.sign !== undefined && written.sign !== told)
    return `${column}: ${shown(row[column] ?? '')} has another sign than ${sign.column}, ${shown(row[sign.column] ?? '')}`;
  return signed(written, told);
}

function ofTwoColumns(
  row: Row,
  scale: number,
  amount: Extract<AmountMapping, { readonly in: string }>,
): SignedAmount | string {
  const sides = [
    { column: amount.in, sign: 'positive', written: 'positive' },
    { column: amount.out, sign: 'negative', written: amount.outWritten },
  ] as const;
  const amounts: SignedAmount[] = [];
  for (const { column, sign, written } of sides) {
    if ((row[column] ?? '') === '') continue;
    const read = columnAmount(row, column, scale, amount);
    if (typeof read === 'string') return read;
    if (read.minorUnits !== '0' && (read.sign ?? 'positive') !== written)
      return `${column}: ${shown(row[column] ?? '')} must be written ${written}`;
    amounts.push(signed(read, sign));
  }
  const [one, other] = amounts.filter(({ minorUnits }) => minorUnits !== '0');
  if (other !== undefined)
    return `${amount.in}, ${amount.out}: ${shownList([row[amount.in] ?? '', row[amount.out] ?? ''])}: only one of them may have an amount`;
  return one ?? amounts[0] ?? `${amount.in}, ${amount.out}: neither has an amount`;
}

function columnAmount(
  row: Row,
  column: string,
  scale: number,
  format: AmountFormat,
): WrittenAmount | string {
  const amount = parseAmount(row[column] ?? '', scale, format);
  return typeof amount === 'string' ? `${column}: ${amount}` : amount;
}

function signOf(row: Row, { column, negative, positive }: SignColumn): Sign | undefined {
  const text = row[column] ?? '';
  if (negative.includes(text)) return 'negative';
  return positive.includes(text) ? 'positive' : undefined;
}

function signed({ minorUnits }: WrittenAmount, sign: Sign | undefined): SignedAmount {
  return { negative: sign === 'negative', minorUnits };
}

/** How a file writes its amounts. */
export interface AmountFormat {
  /** `.` or `,` */
  readonly decimalMark: string;
  /** What groups thousands, such as `,` or a space; empty for none. */
  readonly groupMark: string;
}

export interface SignedAmount {
  readonly negative: boolean;
  /** Minor units: digits without a leading zero; "0" for nothing. */
  readonly minorUnits: string;
}

/**
 * `-1,234.5` with scale 2 is 123450 minor units, negative. By moving digits, never by arithmetic on floats: 0.29 × 100 is
 * 28.999999999999996. A string says why the text is no such amount; nothing is ever rounded.
 */
export function parseAmount(
  text: string,
  scale: number,
  { decimalMark, groupMark }: AmountFormat,
): SignedAmount | string {
  const shown = JSON.stringify(text);
  const [, sign = '', whole = '', , fraction = ''] =
    amountPattern(decimalMark, groupMark).exec(text) ?? [];
  if (whole === '') return `${shown} is not an amount`;
  const significant = fraction.replace(/0+$/, '');
  if (significant.length > scale)
    return `${shown} has more than ${scale} decimal places, and amounts are never rounded`;
  const digits = whole.replaceAll(groupMark, '') + significant.padEnd(scale, '0');
  return { negative: sign === '-', minorUnits: digits.replace(/^0+(?=[0-9])/, '') };
}

const patterns = new Map<string, RegExp>();

function amountPattern(decimalMark: string, groupMark: string): RegExp {
  const name = decimalMark + groupMark;
  const known = patterns.get(name);
  if (known !== undefined) return known;
  const [decimal, group] = [decimalMark, groupMark].map((mark) => mark.replace(/[.\\ ]/, '\\$&'));
  const grouped = groupMark === '' ? '' : `|[0-9]{1,3}(?:${group ?? ''}[0-9]{3})+`;
  const pattern = new RegExp(`^([-+]?)([0-9]+${grouped})(${decimal ?? ''}([0-9]+))?$`);
  patterns.set(name, pattern);
  return pattern;
}

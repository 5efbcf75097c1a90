const EXPONENT_MARK = /[eE]/;
const LEADING_ZEROS = /^0+/;

/**
 * Whether a number means what its text says: printed again it is the same decimal number, though perhaps in another spelling (`1.50`, `1e3`). So `0.1` is
 * exact; `1.9999999999999999999` is read as 2, `1e-400` as 0 and `-0` as something that prints as 0, and they are not. A text that is no number is not
 * exact either.
 */
export function isExactNumber(text: string): boolean {
  const value = Number(text);
  const printed = String(value);
  return printed === text || (Number.isFinite(value) && decimalOf(text) === decimalOf(printed));
}

/** One spelling for each decimal number: its sign, its digits without zeros around them, and the power of ten of the last of them. */
function decimalOf(text: string): string {
  const sign = text.startsWith('-') ? '-' : '';
  const unsigned = text.slice(sign.length);
  const [mantissa = '', exponent = '0'] = unsigned.split(EXPONENT_MARK);
  const [whole = '', fraction = ''] = mantissa.split('.');
  const digits = (whole + fraction).replace(LEADING_ZEROS, '');
  let length = digits.length;
  while (length > 0 && digits[length - 1] === '0') length--;
  if (length === 0) return `${sign}0`;
  return `${sign}${digits.slice(0, length)}e${Number(exponent) - fraction.length + digits.length - length}`;
}

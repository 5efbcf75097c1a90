import { assert } from '@holdfast/kernel';

/*
 * Amounts in SQLite. Its integers have 64 bits and what is wider becomes REAL, so an amount is a BLOB whose bytes sort as
 * the amounts do, and SQL compares amounts but never adds them:
 *
 * | amount   | first byte | then                                                        |
 * | -------- | ---------- | ----------------------------------------------------------- |
 * | positive | 0x80 + n   | its n bytes, big-endian, without leading zero bytes         |
 * | zero     | 0x80       |                                                             |
 * | negative | 0x80 - n   | the n bytes of its absolute value likewise, each inverted   |
 *
 * A longer positive amount is greater, and so is its first byte; with negative ones both are the other way round. Each amount
 * has one spelling, so equal amounts are equal bytes.
 */
const ZERO = 0x80;
/** Up to 2^504: no total of counters below 2^127 each comes near it. */
const BYTES_MAX = 63;
/** Up to here a plain number is exact, and much faster than a bigint. */
const PLAIN_BYTES_MAX = 6;
const PLAIN_LIMIT = 2n ** 48n;
const TWO_TO_32 = 2 ** 32;

/** Throws `AssertionFailed` for an absolute value of 2^504 or more. */
export function amountBlob(amount: bigint): Buffer {
  return amount < PLAIN_LIMIT && amount > -PLAIN_LIMIT
    ? plainBlob(Number(amount))
    : wideBlob(amount);
}

/** Throws `AssertionFailed` for bytes that `amountBlob` does not make: then the read model is damaged. */
export function amountOf(blob: Buffer): bigint {
  const first = blob[0] ?? 0;
  const bytes = Math.abs(first - ZERO);
  assert(blob.byteLength === 1 + bytes && bytes <= BYTES_MAX, 'an amount says its own length');
  if (bytes === 0) return 0n;
  const negative = first < ZERO;
  assert(blob[1] !== (negative ? 0xff : 0x00), 'an amount has no leading zero byte');
  if (bytes > PLAIN_BYTES_MAX) return wideAmountOf(blob, negative);
  const stored = blob.readUIntBE(1, bytes);
  return BigInt(negative ? stored - (2 ** (8 * bytes) - 1) : stored);
}

function plainBlob(amount: number): Buffer {
  const magnitude = Math.abs(amount);
  const bytes = plainBytes(magnitude);
  const blob = Buffer.allocUnsafe(1 + bytes);
  blob[0] = amount < 0 ? ZERO - bytes : ZERO + bytes;
  const stored = amount < 0 ? 2 ** (8 * bytes) - 1 - magnitude : magnitude;
  if (bytes > 0) blob.writeUIntBE(stored, 1, bytes);
  return blob;
}

function plainBytes(magnitude: number): number {
  if (magnitude >= TWO_TO_32) return magnitude < 2 ** 40 ? 5 : 6;
  return (39 - Math.clz32(magnitude)) >>> 3;
}

function wideBlob(amount: bigint): Buffer {
  const hex = (amount < 0n ? -amount : amount).toString(16);
  const bytes = (hex.length + 1) >>> 1;
  assert(bytes <= BYTES_MAX, 'an amount fits 63 bytes');
  const blob = Buffer.allocUnsafe(1 + bytes);
  blob.write(hex.padStart(2 * bytes, '0'), 1, 'hex');
  blob[0] = amount < 0n ? ZERO - bytes : ZERO + bytes;
  if (amount < 0n) invert(blob.subarray(1));
  return blob;
}

function wideAmountOf(blob: Buffer, negative: boolean): bigint {
  const magnitude = Buffer.from(blob.subarray(1));
  if (negative) invert(magnitude);
  const amount = BigInt(`0x${magnitude.toString('hex')}`);
  return negative ? -amount : amount;
}

function invert(bytes: Buffer): void {
  for (let at = 0; at < bytes.byteLength; at++) bytes[at] = ~(bytes[at] ?? 0) & 0xff;
}

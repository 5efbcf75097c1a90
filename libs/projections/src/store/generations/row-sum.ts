import { createHash, hash } from 'node:crypto';
import type { TableDigest } from '../../read-model-store.js';

export type RowValue = bigint | number | string | Buffer | null;

const MODULUS = 1n << 256n;

/**
 * A hash over rows in any order: the sum of their SHA-256 modulo 2^256, which, unlike an exclusive or, also notices a row that is there twice.
 */
export class RowSum {
  rows = 0;
  private sum = 0n;

  add(row: readonly RowValue[]): void {
    this.sum = (this.sum + hashOfRow(row)) % MODULUS;
    this.rows += 1;
  }

  digest(columns: readonly string[]): TableDigest {
    const { rows, sum } = this;
    const text = `${JSON.stringify(columns)} ${rows} ${sum.toString(16)}`;
    return { rows, sha256: hash('sha256', text) };
  }
}

function hashOfRow(row: readonly RowValue[]): bigint {
  const sha256 = createHash('sha256');
  for (const value of row) {
    const bytes = Buffer.isBuffer(value) ? value : Buffer.from(String(value));
    // Type and length first, so that no two rows are written the same way.
    sha256.update(`${typeName(value)}${bytes.length}:`).update(bytes);
  }
  return BigInt(`0x${sha256.digest('hex')}`);
}

function typeName(value: RowValue): string {
  if (value === null) return 'null';
  return Buffer.isBuffer(value) ? 'blob' : typeof value;
}

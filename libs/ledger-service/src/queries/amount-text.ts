import { amountOf } from '../projections/amount-blob.js';

/** A stored amount as clients see it: decimal digits of minor units. */
export function amountText(blob: Buffer): string {
  return String(amountOf(blob));
}

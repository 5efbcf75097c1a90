import { amountOf } from '../projections/amount-blob.js';
import type { StoredAmount } from './asking.js';

/** A stored amount as clients see it: decimal digits of minor units. */
export function amountText(amount: StoredAmount): string {
  return typeof amount === 'string' ? amount : String(amountOf(amount));
}

import type { Side } from './fields.js';

/** Counters of posted and pending amounts stay below it, so that 128 bits hold any difference of two of them. */
export const COUNTER_LIMIT = 2n ** 127n;

/** As in the state and in events: decimal strings of minor units. Pending ones left out are zero. */
export interface CounterTexts {
  readonly debitsPosted: string;
  readonly creditsPosted: string;
  readonly debitsPending?: string;
  readonly creditsPending?: string;
}

export interface Counters {
  readonly debitsPosted: bigint;
  readonly creditsPosted: bigint;
  readonly debitsPending: bigint;
  readonly creditsPending: bigint;
}

export function countersOf(texts: CounterTexts): Counters {
  return {
    debitsPosted: units(texts.debitsPosted),
    creditsPosted: units(texts.creditsPosted),
    debitsPending: units(texts.debitsPending ?? '0'),
    creditsPending: units(texts.creditsPending ?? '0'),
  };
}

/** Most counters and floors are zero, which makes the comparison worth more than the parse. */
export function units(amount: string): bigint {
  return amount === '0' ? 0n : BigInt(amount);
}

/** How far debits and credits raise an account of that normal side; negative when they lower it. */
export function raisedBy(normalSide: Side, debits: bigint, credits: bigint): bigint {
  return normalSide === 'debit' ? debits - credits : credits - debits;
}

/** The posted balance: positive on the account's normal side. */
export function balanceOf(normalSide: Side, counters: Counters): bigint {
  return raisedBy(normalSide, counters.debitsPosted, counters.creditsPosted);
}

/** The posted balance less what is pending on the side that lowers it, because that is spoken for. */
export function availableOf(normalSide: Side, counters: Counters): bigint {
  const spokenFor = normalSide === 'debit' ? counters.creditsPending : counters.debitsPending;
  return balanceOf(normalSide, counters) - spokenFor;
}

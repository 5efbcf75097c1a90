import type { Position, RecordedEvent } from '@holdfast/event-store';
import { availableOf, balanceOf, countersOf } from '../balance.js';
import type { Side } from '../fields.js';
import type { PostedBalance } from '../ledger.events.js';
import { ledgerEventOf } from '../recorded-event.js';

/** Put by `ledger`, `accountId`: the whole row, in place of an earlier one. Amounts in minor units. */
export interface BalanceRow {
  readonly ledger: string;
  readonly accountId: string;
  readonly asset: string;
  readonly normalSide: Side;
  readonly debitsPosted: bigint;
  readonly creditsPosted: bigint;
  readonly debitsPending: bigint;
  readonly creditsPending: bigint;
  /** Posted; positive on the normal side. */
  readonly balance: bigint;
  /** The balance less what is pending on the side that lowers it. */
  readonly available: bigint;
  /** 0 until something is posted. */
  readonly entryVersion: number;
  readonly changedAtMillis: number;
  readonly position: Position;
}

export const BALANCE_ROW_EVENTS = ['AccountOpened', 'TransferPosted'] as const;

/** Needs no earlier row: an event says what each balance that it changes has become. */
export function balanceRowsOf(recorded: RecordedEvent): readonly BalanceRow[] {
  const event = ledgerEventOf(recorded);
  switch (event.type) {
    case 'AccountOpened': {
      const { accountId, asset, normalSide } = event.data.account;
      const nothing = { debitsPosted: '0', creditsPosted: '0', entryVersion: 0 };
      return [rowOf({ accountId, asset, normalSide, ...nothing }, event.data.ledger, event)];
    }
    case 'TransferPosted':
      return event.data.balances.map((balance) => rowOf(balance, event.data.ledger, event));
    default:
      return [];
  }
}

function rowOf(posted: PostedBalance, ledger: string, event: RecordedEvent): BalanceRow {
  const { accountId, asset, normalSide, entryVersion } = posted;
  const counters = countersOf(posted);
  return {
    ledger,
    accountId,
    asset,
    normalSide,
    debitsPosted: counters.debitsPosted,
    creditsPosted: counters.creditsPosted,
    debitsPending: counters.debitsPending,
    creditsPending: counters.creditsPending,
    balance: balanceOf(normalSide, counters),
    available: availableOf(normalSide, counters),
    entryVersion,
    changedAtMillis: event.recordedAtMillis,
    position: event.position,
  };
}

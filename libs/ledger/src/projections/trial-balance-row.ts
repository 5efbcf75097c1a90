import type { Position, RecordedEvent } from '@holdfast/event-store';
import { assert, defined } from '@holdfast/kernel';
import { ledgerEventOf } from '../recorded-event.js';

/** All that was ever debited and credited in an asset, by `ledger`, `asset`. The two are equal, or the books are broken. */
export interface TrialBalanceRow {
  readonly ledger: string;
  readonly asset: string;
  readonly debits: bigint;
  readonly credits: bigint;
  /** Of the last event counted. */
  readonly position: Position;
}

export const TRIAL_BALANCE_EVENTS = ['AssetRegistered', 'TransferPosted'] as const;

/**
 * What an event adds: one row for each asset, to be added to the one before by `addTrialBalance`, never in SQL, which
 * has no integers this wide.
 */
export function trialBalanceChangesOf(recorded: RecordedEvent): readonly TrialBalanceRow[] {
  const event = ledgerEventOf(recorded);
  const { position } = event;
  if (event.type === 'AssetRegistered') {
    const { ledger, asset } = event.data;
    return [{ ledger, asset, debits: 0n, credits: 0n, position }];
  }
  if (event.type !== 'TransferPosted') return [];
  const { ledger, legs, balances } = event.data;
  const assetOf = new Map(balances.map(({ accountId, asset }) => [accountId, asset]));
  const totals = new Map<string, { debits: bigint; credits: bigint }>();
  for (const { accountId, side, amount } of legs) {
    const asset = defined(assetOf.get(accountId), `balance of ${accountId}`);
    const total = totals.get(asset) ?? { debits: 0n, credits: 0n };
    if (side === 'debit') total.debits += BigInt(amount);
    else total.credits += BigInt(amount);
    totals.set(asset, total);
  }
  return Array.from(totals, ([asset, total]) => ({ ledger, asset, ...total, position }));
}

/** The row after a change; the change itself when there was no row. */
export function addTrialBalance(
  before: TrialBalanceRow | undefined,
  change: TrialBalanceRow,
): TrialBalanceRow {
  if (before === undefined) return change;
  assert(
    before.ledger === change.ledger && before.asset === change.asset,
    'a change is added to the row of its own ledger and asset',
  );
  return {
    ...change,
    debits: before.debits + change.debits,
    credits: before.credits + change.credits,
  };
}

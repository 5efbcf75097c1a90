import type { Side } from '@holdfast/ledger';

/** What an account holds. All amounts are decimal digits of minor units. */
export interface BalanceResource {
  readonly ledger: string;
  readonly accountId: string;
  readonly asset: string;
  readonly normalSide: Side;
  /** What is posted; positive on the normal side. */
  readonly balance: string;
  /** The balance less what is pending on the side that lowers it. */
  readonly available: string;
  readonly posted: { readonly debits: string; readonly credits: string };
  readonly pending: { readonly debits: string; readonly credits: string };
  /** Counts the entries; what a leg's `expectedVersion` compares. */
  readonly entryVersion: number;
  readonly changedAt: string;
}

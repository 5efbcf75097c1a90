import type { Metadata, Side } from '../fields.js';

/** `POST /transfers`: 2 to 64 legs, balanced for each asset, all or nothing. */
export interface PostTransfer {
  readonly type: 'PostTransfer';
  readonly ledger: string;
  readonly legs: readonly PostTransferLeg[];
  /** The caller's own name for it, used once in a ledger. */
  readonly reference?: string | undefined;
  /** UTC, `2026-11-23T10:00:00.000Z`; the present when left out, never the future. */
  readonly effectiveAt?: string | undefined;
  readonly metadata?: Metadata | undefined;
}

export interface PostTransferLeg {
  readonly accountId: string;
  readonly side: Side;
  /** Minor units of the account's asset, 1–36 digits without a leading zero. */
  readonly amount: string;
  /** The account's `entryVersion` that the caller has seen. */
  readonly expectedVersion?: number | undefined;
}

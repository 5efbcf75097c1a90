import type { Side } from '@holdfast/ledger';
import type { Page } from '../page-request.js';

/** One leg's effect on an account. Amounts are decimal digits of minor units. */
export interface StatementLine {
  readonly entryVersion: number;
  /** 0, 1, 2 … within the entry: more than one when several legs of a transfer name the account. */
  readonly line: number;
  readonly transferId: string;
  readonly reference: string | null;
  readonly side: Side;
  readonly amount: string;
  /** The posted balance after this line; positive on the account's normal side. */
  readonly balance: string;
  readonly effectiveAt: string;
  readonly recordedAt: string;
}

/** An account's lines in the order in which they were posted; back-dated ones stand where they were posted. */
export interface Statement extends Page<StatementLine> {
  readonly ledger: string;
  readonly accountId: string;
  readonly asset: string;
  readonly normalSide: Side;
}

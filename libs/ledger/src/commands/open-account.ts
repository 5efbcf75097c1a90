import type { Metadata, Side } from '../fields.js';

/** `POST /accounts`. */
export interface OpenAccount {
  readonly type: 'OpenAccount';
  readonly ledger: string;
  /** The command's id when left out. */
  readonly accountId?: string | undefined;
  readonly asset: string;
  readonly normalSide: Side;
  /** The lowest `available` a lowering may leave. "0" when left out; null = no floor. */
  readonly floor?: string | null | undefined;
  /** The highest posted balance a raising may leave. None (null) when left out. */
  readonly ceiling?: string | null | undefined;
  readonly metadata?: Metadata | undefined;
}

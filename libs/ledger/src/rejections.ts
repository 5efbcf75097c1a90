import type { AccountStatus, Side } from './fields.js';

/**
 * What `decide` may refuse, by problem type, with the parameters that a program needs to act on it. Amounts are decimal
 * strings of minor units. Types and parameters are a public contract: they are recorded in events and sent to clients as
 * members of a problem document, so none is named `type`, `title`, `status`, `detail` or `instance`.
 */
export type RejectionParameters = {
  readonly 'ledger-not-found': { readonly ledger: string };
  readonly 'asset-not-found': { readonly asset: string };
  readonly 'account-not-found': { readonly accountId: string };
  readonly 'transfer-not-found': { readonly transferId: string };

  /** `asset` and `normalSide` are those of the account that is there; the first recorded refusals do not have them. */
  readonly 'account-exists': {
    readonly accountId: string;
    readonly asset?: string;
    readonly normalSide?: Side;
  };
  readonly 'asset-scale-differs': {
    readonly asset: string;
    readonly scale: number;
    readonly requestedScale: number;
  };
  readonly 'reference-exists': { readonly reference: string; readonly transferId: string };
  readonly 'account-frozen': { readonly accountId: string; readonly accountStatus: AccountStatus };
  readonly 'account-closed': { readonly accountId: string };
  readonly 'account-not-empty': {
    readonly accountId: string;
    readonly balance: string;
    readonly debitsPending: string;
    readonly creditsPending: string;
  };

  /** `balance` versions are entry versions, named by the account's id. */
  readonly 'version-mismatch': {
    readonly resource: 'account' | 'balance' | 'transfer';
    readonly id: string;
    readonly expectedVersion: number;
    readonly actualVersion: number;
  };

  /** `needed` is the net amount to take, `available` what was there before; floor ≤ available − needed was not so. */
  readonly 'insufficient-funds': {
    readonly accountId: string;
    readonly needed: string;
    readonly available: string;
    readonly floor: string;
  };
  /** `added` is the net amount to add, `balance` the posted balance before. */
  readonly 'ceiling-exceeded': {
    readonly accountId: string;
    readonly added: string;
    readonly balance: string;
    readonly ceiling: string;
  };
  readonly 'legs-unbalanced': {
    readonly asset: string;
    readonly debits: string;
    readonly credits: string;
  };
  /** The counter would reach 2^127. */
  readonly 'amount-overflow': {
    readonly accountId: string;
    readonly counter: 'debitsPosted' | 'creditsPosted';
  };
  /** So many the change would leave. */
  readonly 'metadata-keys-exceeded': { readonly keys: number; readonly keysMax: number };
  readonly 'idempotency-key-reused': { readonly key: string };
  readonly 'effective-in-future': { readonly effectiveAt: string; readonly now: string };
};

export type ProblemType = keyof RejectionParameters;

/** An expected refusal: a value, never an exception. */
export type Rejection = {
  readonly [Type in ProblemType]: {
    readonly problem: Type;
    readonly parameters: RejectionParameters[Type];
  };
}[ProblemType];

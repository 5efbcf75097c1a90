export interface ImportOptions {
  readonly csv: string;
  /** Where the CSV is but a copy of something without a name: what the files beside it are named after. */
  readonly named?: string;
  readonly ledger: string;
  /** Path of the mapping. */
  readonly mapping: string;
  readonly url: string;
  /** Most commands in one request: a row, and each account that it needs opened. */
  readonly batch: number;
  /** Instead of the mapping's. */
  readonly asset?: string;
  readonly name?: string;
  /** Part of each row's key. */
  readonly attempt: string;
  readonly progress?: string;
  readonly rejects?: string;
  readonly patienceSeconds: number;
  /** Map every row, post nothing. */
  readonly check?: boolean;
  readonly json?: boolean;
}

export const ATTEMPT_DEFAULT = '1';
export const BATCH_DEFAULT = 50;
/** A row may need two accounts, and all three commands go in one request. */
export const BATCH_MIN = 3;
/** What the service takes, less the witness that goes in front. */
export const BATCH_MAX = 999;
export const PATIENCE_SECONDS_DEFAULT = 300;

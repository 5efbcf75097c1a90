/** All that was ever debited and credited, by asset. Amounts are decimal digits of minor units. */
export interface TrialBalance {
  readonly ledger: string;
  readonly items: readonly AssetTotals[];
}

export interface AssetTotals {
  readonly asset: string;
  readonly scale: number;
  readonly debits: string;
  readonly credits: string;
  /** Whether the two are equal. They always are, or the books are broken. */
  readonly balanced: boolean;
}

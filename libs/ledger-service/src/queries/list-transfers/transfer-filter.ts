/** A transfer passes when it meets every condition given. */
export interface TransferFilter {
  readonly account: string | undefined;
  readonly reference: string | undefined;
  readonly metadata: { readonly key: string; readonly value: string } | undefined;
  /** Inclusive. */
  readonly effectiveFromMillis: number | undefined;
  /** Exclusive. */
  readonly effectiveBeforeMillis: number | undefined;
}

/** `PUT /assets/{code}`. Idempotent by its code; the scale of a registered asset never changes. */
export interface RegisterAsset {
  readonly type: 'RegisterAsset';
  readonly ledger: string;
  readonly asset: string;
  /** Digits after the decimal point that one minor unit stands for: 2 for EUR, 0 for JPY, 18 for ETH. */
  readonly scale: number;
}

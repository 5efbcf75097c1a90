/** `PUT /v1/ledgers/{ledger}`. Idempotent by its name: opening an open ledger changes nothing. */
export interface OpenLedger {
  readonly type: 'OpenLedger';
  readonly ledger: string;
}

import type { AccountStatus } from '../fields.js';

/** `PUT /accounts/{id}/status`. */
export interface SetAccountStatus {
  readonly type: 'SetAccountStatus';
  readonly ledger: string;
  readonly accountId: string;
  /** The account's `version`, from If-Match; required, because freezing what one has not seen is a mistake. */
  readonly expectedVersion: number;
  readonly status: AccountStatus;
}

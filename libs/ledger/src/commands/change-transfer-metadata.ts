import type { MetadataPatch } from '../fields.js';

/** `PATCH /transfers/{id}/metadata`. */
export interface ChangeTransferMetadata {
  readonly type: 'ChangeTransferMetadata';
  readonly ledger: string;
  readonly transferId: string;
  /** The transfer's `version`, from If-Match. */
  readonly expectedVersion?: number | undefined;
  readonly metadata: MetadataPatch;
}

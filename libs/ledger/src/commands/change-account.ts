import type { MetadataPatch } from '../fields.js';

/** `PATCH /accounts/{id}`: what is left out stays. At least one of floor, ceiling and metadata is given. */
export interface ChangeAccount {
  readonly type: 'ChangeAccount';
  readonly ledger: string;
  readonly accountId: string;
  /** The account's `version`, from If-Match. */
  readonly expectedVersion?: number | undefined;
  readonly floor?: string | null | undefined;
  readonly ceiling?: string | null | undefined;
  readonly metadata?: MetadataPatch | undefined;
}

import type {
  AccountResource,
  AccountStatus,
  AssetResource,
  LedgerResource,
  Metadata,
  Side,
  TransferLegResource,
  TransferResource,
} from '@holdfast/ledger';
import { accountResource, instantText } from '@holdfast/ledger/reading';
import { amountText } from './amount-text.js';
import type { StoredAmount } from './asking.js';

/*
 * Rows as queries select them, and the resources they are: the same members in the same order as in the answers to commands.
 */

export interface LedgerRow {
  readonly ledger: string;
  readonly opened_at: number;
}

export function ledgerResourceOf(row: LedgerRow): LedgerResource {
  return { id: row.ledger, openedAt: instantText(row.opened_at) };
}

export interface AssetRow {
  readonly asset: string;
  readonly scale: number;
  readonly registered_at: number;
}

export function assetResourceOf(ledger: string, row: AssetRow): AssetResource {
  const { asset, scale, registered_at } = row;
  return { ledger, code: asset, scale, registeredAt: instantText(registered_at) };
}

export const ACCOUNT_COLUMNS =
  'account_id, asset, normal_side, floor, ceiling, status, metadata, version, opened_at';

export interface AccountRow {
  readonly account_id: string;
  readonly asset: string;
  readonly normal_side: Side;
  readonly floor: StoredAmount | null;
  readonly ceiling: StoredAmount | null;
  readonly status: AccountStatus;
  readonly metadata: string;
  readonly version: number;
  readonly opened_at: number;
}

export function accountResourceOf(ledger: string, row: AccountRow): AccountResource {
  return accountResource(ledger, {
    accountId: row.account_id,
    asset: row.asset,
    normalSide: row.normal_side,
    floor: row.floor === null ? null : amountText(row.floor),
    ceiling: row.ceiling === null ? null : amountText(row.ceiling),
    status: row.status,
    metadata: JSON.parse(row.metadata) as Metadata,
    version: row.version,
    openedAt: instantText(row.opened_at),
  });
}

export const TRANSFER_COLUMNS =
  'position, transfer_id, reference, effective_at, recorded_at, legs, metadata, version';

export interface TransferRow {
  readonly position: number;
  readonly transfer_id: string;
  readonly reference: string | null;
  readonly effective_at: number;
  readonly recorded_at: number;
  readonly legs: string;
  readonly metadata: string;
  readonly version: number;
}

export function transferResourceOf(ledger: string, row: TransferRow): TransferResource {
  return {
    ledger,
    id: row.transfer_id,
    reference: row.reference,
    effectiveAt: instantText(row.effective_at),
    recordedAt: instantText(row.recorded_at),
    legs: JSON.parse(row.legs) as TransferLegResource[],
    metadata: JSON.parse(row.metadata) as Metadata,
    version: row.version,
  };
}

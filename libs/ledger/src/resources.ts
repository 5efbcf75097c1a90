import { defined } from '@holdfast/kernel';
import { type AccountStatus, type Metadata, type Side, instantText } from './fields.js';
import type {
  AccountData,
  AssetRegistered,
  LedgerOpened,
  TransferPosted,
} from './ledger.events.js';

/*
 * Resources as clients see them, in answers to commands and to queries alike. Type aliases, so that they are JSON to
 * the type-checker.
 */

export type LedgerResource = {
  readonly id: string;
  /** Null in the answer to a command that found it, once its event has left the log: the state does not hold it. */
  readonly openedAt: string | null;
};

export type AssetResource = {
  readonly ledger: string;
  readonly code: string;
  readonly scale: number;
  /** Null as `openedAt` of a ledger is. */
  readonly registeredAt: string | null;
};

export type AccountResource = {
  readonly ledger: string;
  readonly id: string;
  readonly asset: string;
  readonly normalSide: Side;
  readonly floor: string | null;
  readonly ceiling: string | null;
  readonly status: AccountStatus;
  readonly metadata: Metadata;
  readonly version: number;
  readonly openedAt: string;
};

export type TransferLegResource = {
  readonly accountId: string;
  readonly side: Side;
  readonly amount: string;
  readonly asset: string;
};

export type TransferResource = {
  readonly ledger: string;
  readonly id: string;
  readonly reference: string | null;
  readonly effectiveAt: string;
  readonly recordedAt: string;
  readonly legs: readonly TransferLegResource[];
  readonly metadata: Metadata;
  readonly version: number;
};

export type TransferMetadataResource = {
  readonly ledger: string;
  readonly transferId: string;
  readonly metadata: Metadata;
  readonly version: number;
};

export function ledgerResource({
  ledger,
  openedAt,
}: Omit<LedgerResource, 'id'> & Pick<LedgerOpened, 'ledger'>): LedgerResource {
  return { id: ledger, openedAt };
}

export function assetResource({
  ledger,
  asset,
  scale,
  registeredAt,
}: Omit<AssetResource, 'code'> & Pick<AssetRegistered, 'asset'>): AssetResource {
  return { ledger, code: asset, scale, registeredAt };
}

export function accountResource(ledger: string, account: AccountData): AccountResource {
  return {
    ledger,
    id: account.accountId,
    asset: account.asset,
    normalSide: account.normalSide,
    floor: account.floor,
    ceiling: account.ceiling,
    status: account.status,
    metadata: account.metadata,
    version: account.version,
    openedAt: account.openedAt,
  };
}

/** The transfer as it was posted; its metadata and version may have changed since. */
export function transferResource(
  transfer: TransferPosted,
  recordedAtMillis: number,
): TransferResource {
  return {
    ledger: transfer.ledger,
    id: transfer.transferId,
    reference: transfer.reference ?? null,
    effectiveAt: transfer.effectiveAt,
    recordedAt: instantText(recordedAtMillis),
    legs: legResources(transfer),
    metadata: transfer.metadata ?? {},
    version: 1,
  };
}

/** A leg names its account only; the asset of each account stands once in the event. */
export function legResources({ legs, balances }: TransferPosted): readonly TransferLegResource[] {
  return legs.map(({ accountId, side, amount }) => {
    const balance = balances.find((candidate) => candidate.accountId === accountId);
    const { asset } = defined(balance, `balance of ${accountId}`);
    return { accountId, side, amount, asset };
  });
}

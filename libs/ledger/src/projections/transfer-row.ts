import type { Position, RecordedEvent } from '@holdfast/event-store';
import type { Metadata } from '../fields.js';
import { ledgerEventOf } from '../recorded-event.js';
import { type TransferLegResource, legResources } from '../resources.js';
import { epochMillis } from './epoch-millis.js';

/** Inserted once by `ledger`, `transferId`; only metadata and version change, by `TransferMetadataRow`. */
export interface TransferRow {
  readonly ledger: string;
  readonly transferId: string;
  readonly reference: string | null;
  readonly effectiveAtMillis: number;
  readonly recordedAtMillis: number;
  readonly legs: readonly TransferLegResource[];
  /** Each account that a leg names, once. */
  readonly accountIds: readonly string[];
  readonly metadata: Metadata;
  readonly version: number;
  readonly position: Position;
}

/** Put into the transfer's row by `ledger`, `transferId`; the row's `position` stays that of its posting. */
export interface TransferMetadataRow {
  readonly ledger: string;
  readonly transferId: string;
  readonly metadata: Metadata;
  readonly version: number;
}

export const TRANSFER_ROW_EVENTS = ['TransferPosted', 'MetadataChanged'] as const;

export function transferRowOf(recorded: RecordedEvent): TransferRow | undefined {
  const event = ledgerEventOf(recorded);
  if (event.type !== 'TransferPosted') return undefined;
  const { data, recordedAtMillis, position } = event;
  return {
    ledger: data.ledger,
    transferId: data.transferId,
    reference: data.reference ?? null,
    effectiveAtMillis: epochMillis(data.effectiveAt),
    recordedAtMillis,
    legs: legResources(data),
    accountIds: data.balances.map(({ accountId }) => accountId),
    metadata: data.metadata ?? {},
    version: 1,
    position,
  };
}

export function transferMetadataRowOf(recorded: RecordedEvent): TransferMetadataRow | undefined {
  const event = ledgerEventOf(recorded);
  if (event.type !== 'MetadataChanged' || event.data.subject !== 'transfer') return undefined;
  const { ledger, transferId, metadata, version } = event.data;
  return { ledger, transferId, metadata, version };
}

import type { Position, RecordedEvent } from '@holdfast/event-store';
import type { AccountStatus, Metadata, Side } from '../fields.js';
import type { AccountData, RecordedLedgerEvent } from '../ledger.events.js';
import { ledgerEventOf } from '../recorded-event.js';
import { epochMillis } from './epoch-millis.js';

/** Put by `ledger`, `accountId`: the whole row, in place of an earlier one. */
export interface AccountRow {
  readonly ledger: string;
  readonly accountId: string;
  readonly asset: string;
  readonly normalSide: Side;
  readonly floor: bigint | null;
  readonly ceiling: bigint | null;
  readonly status: AccountStatus;
  readonly metadata: Metadata;
  readonly version: number;
  readonly openedAtMillis: number;
  readonly position: Position;
}

export const ACCOUNT_ROW_EVENTS = [
  'AccountOpened',
  'AccountPolicyChanged',
  'AccountStatusChanged',
  'MetadataChanged',
] as const;

export function accountRowOf(recorded: RecordedEvent): AccountRow | undefined {
  const event = ledgerEventOf(recorded);
  const account = accountIn(event);
  if (account === undefined) return undefined;
  return {
    ledger: event.data.ledger,
    accountId: account.accountId,
    asset: account.asset,
    normalSide: account.normalSide,
    floor: account.floor === null ? null : BigInt(account.floor),
    ceiling: account.ceiling === null ? null : BigInt(account.ceiling),
    status: account.status,
    metadata: account.metadata,
    version: account.version,
    openedAtMillis: epochMillis(account.openedAt),
    position: event.position,
  };
}

function accountIn(event: RecordedLedgerEvent): AccountData | undefined {
  switch (event.type) {
    case 'AccountOpened':
    case 'AccountPolicyChanged':
    case 'AccountStatusChanged':
      return event.data.account;
    case 'MetadataChanged':
      return event.data.subject === 'account' ? event.data.account : undefined;
    default:
      return undefined;
  }
}

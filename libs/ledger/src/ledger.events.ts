import type { NewEvent, RecordedEvent } from '@holdfast/event-store';
import type { AccountStatus, Metadata, Side } from './fields.js';
import type { LedgerCommandType } from './command-type.js';
import type { Rejection } from './rejections.js';

/** Every event of this room; raised for a type when its data changes shape, with an upcaster for the old one. */
export const LEDGER_SCHEMA_VERSION = 1;

/*
 * Data is plain JSON: amounts are decimal strings of minor units, times are `2026-11-23T10:00:00.000Z`. An event carries
 * everything that the answer to its command says, so that the answer given again years later is byte-identical.
 * These are type aliases because an interface is not assignable to `JsonObject`.
 */

export type LedgerOpened = { readonly ledger: string; readonly openedAt: string };

export type AssetRegistered = {
  readonly ledger: string;
  readonly asset: string;
  readonly scale: number;
  readonly registeredAt: string;
};

/** An account as it stands after an event about it. Its balance is not part of it and has its own version. */
export type AccountData = {
  readonly accountId: string;
  readonly asset: string;
  readonly normalSide: Side;
  readonly floor: string | null;
  readonly ceiling: string | null;
  readonly status: AccountStatus;
  readonly metadata: Metadata;
  /** Counts opening, policy, status and metadata: equals the version of the account's stream. */
  readonly version: number;
  readonly openedAt: string;
};

export type AccountOpened = { readonly ledger: string; readonly account: AccountData };

/** Floor or ceiling set; the metadata may have changed with them. */
export type AccountPolicyChanged = { readonly ledger: string; readonly account: AccountData };

export type AccountStatusChanged = { readonly ledger: string; readonly account: AccountData };

export type TransferLeg = {
  readonly accountId: string;
  readonly side: Side;
  readonly amount: string;
};

/** One account that a transfer changed: its counters and entry version after the whole transfer. */
export type PostedBalance = {
  readonly accountId: string;
  readonly asset: string;
  readonly normalSide: Side;
  readonly debitsPosted: string;
  readonly creditsPosted: string;
  /** Both left out when both are zero, which they mostly are. */
  readonly debitsPending?: string;
  readonly creditsPending?: string;
  readonly entryVersion: number;
};

/** One event carries every leg: there is no moment at which half of a transfer is true. */
export type TransferPosted = {
  readonly ledger: string;
  readonly transferId: string;
  readonly reference?: string;
  readonly effectiveAt: string;
  readonly legs: readonly TransferLeg[];
  /** Each account once, in the order in which the legs first name it. */
  readonly balances: readonly PostedBalance[];
  /** Left out when empty. */
  readonly metadata?: Metadata;
};

/** Metadata alone was changed: that of an account, or of a transfer. */
export type MetadataChanged =
  | { readonly ledger: string; readonly subject: 'account'; readonly account: AccountData }
  | {
      readonly ledger: string;
      readonly subject: 'transfer';
      readonly transferId: string;
      readonly metadata: Metadata;
      readonly version: number;
    };

/** A command was refused, and its key is used up: a late duplicate is answered with this for ever. */
export type CommandRejected = {
  readonly ledger: string;
  readonly command: LedgerCommandType;
} & Rejection;

/**
 * A command that is idempotent by name found what it asks for, and its key is used up: a late duplicate is answered with this for ever. It says what the event
 * that made the thing says; when it was made is null once that event has left the log.
 */
export type CommandUnchanged =
  | { readonly ledger: string; readonly command: 'OpenLedger'; readonly openedAt: string | null }
  | {
      readonly ledger: string;
      readonly command: 'RegisterAsset';
      readonly asset: string;
      readonly scale: number;
      readonly registeredAt: string | null;
    };

export type LedgerEventData = {
  readonly LedgerOpened: LedgerOpened;
  readonly AssetRegistered: AssetRegistered;
  readonly AccountOpened: AccountOpened;
  readonly AccountPolicyChanged: AccountPolicyChanged;
  readonly AccountStatusChanged: AccountStatusChanged;
  readonly TransferPosted: TransferPosted;
  readonly MetadataChanged: MetadataChanged;
  readonly CommandRejected: CommandRejected;
  readonly CommandUnchanged: CommandUnchanged;
};

export type LedgerEventType = keyof LedgerEventData;

/** A ledger event before the log gives it a place. */
export type LedgerEvent = {
  readonly [Type in LedgerEventType]: NewEvent<Type, LedgerEventData[Type]>;
}[LedgerEventType];

/** A ledger event in the log. */
export type RecordedLedgerEvent = {
  readonly [Type in LedgerEventType]: RecordedEvent<Type, LedgerEventData[Type]>;
}[LedgerEventType];

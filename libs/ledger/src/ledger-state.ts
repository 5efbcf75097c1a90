import type { Position, StateSection, StateStore } from '@holdfast/event-store';
import type { AccountStatus, Metadata, Side } from './fields.js';

/*
 * What the write side knows, in sections of the state store. Every value is plain JSON (amounts as decimal strings, like
 * in the events), so any encoder can write a checkpoint of it, and taking over an event is copying text: amounts are
 * numbers only within a decision. Values are replaced, never mutated.
 */

/** By ledger. */
export interface LedgerEntry {
  readonly position: Position;
}

/** By ledger/code. */
export interface AssetEntry {
  readonly scale: number;
  readonly position: Position;
}

/**
 * By ledger/account: what a decision about money needs, in one entry, so that a leg costs one read and one write.
 * Metadata may be large and is never needed for that: it has a section of its own.
 */
export interface AccountEntry {
  readonly asset: string;
  readonly normalSide: Side;
  readonly floor: string | null;
  readonly ceiling: string | null;
  readonly status: AccountStatus;
  readonly version: number;
  /** 0 until something is posted. */
  readonly entryVersion: number;
  readonly debitsPosted: string;
  readonly creditsPosted: string;
  readonly debitsPending: string;
  readonly creditsPending: string;
  readonly openedAt: string;
}

/** By ledger/transfer. What else is known of a transfer stands in the event at its position. */
export interface TransferEntry {
  readonly position: Position;
  readonly version: number;
  /** Left out when empty. */
  readonly metadata?: Metadata;
}

export const ledgerSections = {
  ledgers: (store: StateStore): StateSection<LedgerEntry> => store.section('ledgers'),
  assets: (store: StateStore): StateSection<AssetEntry> => store.section('assets'),
  accounts: (store: StateStore): StateSection<AccountEntry> => store.section('accounts'),
  /** By ledger/account; no entry when empty. */
  accountMetadata: (store: StateStore): StateSection<Metadata> => store.section('account-metadata'),
  /** By ledger/reference: the id of the transfer that used it. */
  references: (store: StateStore): StateSection<string> => store.section('references'),
  transfers: (store: StateStore): StateSection<TransferEntry> => store.section('transfers'),
} as const;

/** How entries are named within their sections. No part but the last contains a `/`. */
export const stateKeys = {
  ofAsset: (ledger: string, asset: string) => `${ledger}/${asset}`,
  ofAccount: (ledger: string, accountId: string) => `${ledger}/${accountId}`,
  ofReference: (ledger: string, reference: string) => `${ledger}/${reference}`,
  ofTransfer: (ledger: string, transferId: string) => `${ledger}/${transferId}`,
} as const;

import type { Position, StateStore } from '@holdfast/event-store';
import type { AccountStatus, Metadata, Side } from './fields.js';

/** Section `ledgers`, by ledger. */
export interface LedgerEntry {
  readonly position: Position;
}

/** Section `assets`, by ledger/code. */
export interface AssetEntry {
  readonly scale: number;
  readonly position: Position;
}

/**
 * Section `accounts`, by ledger/account: what a decision about money needs, in one entry, so that a leg costs one read
 * and one write. Metadata may be large and is never needed for that: it has its own section.
 */
export interface AccountEntry {
  readonly asset: string;
  readonly normalSide: Side;
  readonly floor: string | null;
  readonly ceiling: string | null;
  readonly status: AccountStatus;
  readonly version: number;
  readonly entryVersion: number;
  readonly debitsPosted: string;
  readonly creditsPosted: string;
  readonly debitsPending: string;
  readonly creditsPending: string;
  readonly openedAt: string;
}

/** Section `transfers`, by ledger/transfer. */
export interface TransferEntry {
  readonly position: Position;
  readonly version: number;
  /** Left out when empty. */
  readonly metadata?: Metadata;
}

/** Section `command-keys`, by ledger/actor/key. */
export interface CommandKeyEntry {
  readonly bodyHash: string;
  readonly position: Position;
  readonly outcome: 'accepted' | 'rejected';
}

/** What deciders may read: a typed window on the state. */
export class LedgerView {
  constructor(private readonly store: StateStore) {}

  ledger(ledger: string): LedgerEntry | undefined {
    return this.store.section<LedgerEntry>('ledgers').get(ledger);
  }

  asset(ledger: string, asset: string): AssetEntry | undefined {
    return this.store.section<AssetEntry>('assets').get(`${ledger}/${asset}`);
  }

  account(ledger: string, accountId: string): AccountEntry | undefined {
    return this.store.section<AccountEntry>('accounts').get(`${ledger}/${accountId}`);
  }

  accountMetadata(ledger: string, accountId: string): Metadata {
    return this.store.section<Metadata>('account-metadata').get(`${ledger}/${accountId}`) ?? {};
  }

  /** The transfer that used the reference. */
  reference(ledger: string, reference: string): string | undefined {
    return this.store.section<string>('references').get(`${ledger}/${reference}`);
  }

  transfer(ledger: string, transferId: string): TransferEntry | undefined {
    return this.store.section<TransferEntry>('transfers').get(`${ledger}/${transferId}`);
  }

  commandKey(ledger: string, actor: string, key: string): CommandKeyEntry | undefined {
    return this.store.section<CommandKeyEntry>('command-keys').get(`${ledger}/${actor}/${key}`);
  }
}

import type { StateSection, StateStore } from '@holdfast/event-store';
import type { Metadata } from './fields.js';
import {
  type AccountEntry,
  type AssetEntry,
  type CommandKeyEntry,
  type LedgerEntry,
  type TransferEntry,
  ledgerSections,
  stateKeys,
} from './ledger-state.js';

const NO_METADATA: Metadata = {};

/** What deciders may read: a typed window on the state, which changes under it as events are applied. */
export class LedgerView {
  private readonly ledgers: StateSection<LedgerEntry>;
  private readonly assets: StateSection<AssetEntry>;
  private readonly accounts: StateSection<AccountEntry>;
  private readonly metadata: StateSection<Metadata>;
  private readonly references: StateSection<string>;
  private readonly transfers: StateSection<TransferEntry>;
  private readonly commandKeys: StateSection<CommandKeyEntry>;

  constructor(store: StateStore) {
    this.ledgers = ledgerSections.ledgers(store);
    this.assets = ledgerSections.assets(store);
    this.accounts = ledgerSections.accounts(store);
    this.metadata = ledgerSections.accountMetadata(store);
    this.references = ledgerSections.references(store);
    this.transfers = ledgerSections.transfers(store);
    this.commandKeys = ledgerSections.commandKeys(store);
  }

  ledger(ledger: string): LedgerEntry | undefined {
    return this.ledgers.get(ledger);
  }

  asset(ledger: string, asset: string): AssetEntry | undefined {
    return this.assets.get(stateKeys.ofAsset(ledger, asset));
  }

  account(ledger: string, accountId: string): AccountEntry | undefined {
    return this.accounts.get(stateKeys.ofAccount(ledger, accountId));
  }

  accountMetadata(ledger: string, accountId: string): Metadata {
    return this.metadata.get(stateKeys.ofAccount(ledger, accountId)) ?? NO_METADATA;
  }

  /** The id of the transfer that used the reference. */
  reference(ledger: string, reference: string): string | undefined {
    return this.references.get(stateKeys.ofReference(ledger, reference));
  }

  transfer(ledger: string, transferId: string): TransferEntry | undefined {
    return this.transfers.get(stateKeys.ofTransfer(ledger, transferId));
  }

  /** Undefined also for a key that has expired and was not forgotten yet. */
  commandKey(
    ledger: string,
    actor: string,
    key: string,
    nowMillis: number,
  ): CommandKeyEntry | undefined {
    const entry = this.commandKeys.get(stateKeys.ofCommandKey(ledger, actor, key));
    return entry !== undefined && entry.expiresAtMillis > nowMillis ? entry : undefined;
  }
}

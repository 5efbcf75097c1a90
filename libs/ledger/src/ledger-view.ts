import { keyTag } from '@holdfast/commands/reading';
import type { EventLog, Position, StateSection, StateStore } from '@holdfast/event-store';
import type { Metadata } from './fields.js';
import {
  type AccountEntry,
  type AssetEntry,
  type LedgerEntry,
  type TransferEntry,
  ledgerSections,
  stateKeys,
} from './ledger-state.js';
import type { RecordedLedgerEvent } from './ledger.events.js';
import { ledgerEventOf } from './recorded-event.js';

const NO_METADATA: Metadata = {};

/** Of the log, what a decision may look at: events that were admitted, durable or not. */
export type AdmittedEvents = Pick<EventLog, 'admittedAt' | 'hasTagBeginning'>;

/** What deciders may read: a typed window on the state and on the log, which change under it as events are applied. */
export class LedgerView {
  private readonly ledgers: StateSection<LedgerEntry>;
  private readonly assets: StateSection<AssetEntry>;
  private readonly accounts: StateSection<AccountEntry>;
  private readonly metadata: StateSection<Metadata>;
  private readonly references: StateSection<string>;
  private readonly transfers: StateSection<TransferEntry>;
  /** Whether keys in quotes are in the log, by what their tags begin with: at most one entry for each ledger and actor. */
  private readonly quotedKeys = new Map<string, boolean>();

  constructor(
    store: StateStore,
    private readonly events: AdmittedEvents,
  ) {
    this.ledgers = ledgerSections.ledgers(store);
    this.assets = ledgerSections.assets(store);
    this.accounts = ledgerSections.accounts(store);
    this.metadata = ledgerSections.accountMetadata(store);
    this.references = ledgerSections.references(store);
    this.transfers = ledgerSections.transfers(store);
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

  /**
   * Whether the log may hold a key that begins with a quotation mark. Only earlier releases recorded keys in quotes, so an answer stands for as long as the
   * log is open; until the state was read through there is none, and it may.
   */
  mayHoldQuotedKeys(ledger: string, actor: string): boolean {
    // A ledger that is not open has no commands, and whoever names many of them fills nothing.
    if (this.ledger(ledger) === undefined) return false;
    const beginning = keyTag(ledger, actor, '"');
    const known = this.quotedKeys.get(beginning);
    if (known !== undefined) return known;
    const found = this.events.hasTagBeginning(beginning);
    if (found !== undefined) this.quotedKeys.set(beginning, found);
    return found ?? true;
  }

  /** Undefined when it has left the log. */
  eventAt(position: Position): RecordedLedgerEvent | undefined {
    const event = this.events.admittedAt(position);
    return event && ledgerEventOf(event);
  }
}

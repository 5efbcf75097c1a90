import type { RecordedEvent } from '@holdfast/event-store';
import { assert, defined } from '@holdfast/kernel';
import type {
  AccountRow,
  AssetRow,
  BalanceRow,
  LedgerRow,
  StatementLineRow,
  TransferMetadataRow,
  TransferRow,
  TrialBalanceRow,
} from '@holdfast/ledger';
import {
  accountRowOf,
  addTrialBalance,
  assetRowOf,
  balanceRowsOf,
  ledgerEventOf,
  ledgerRowOf,
  statementLinesOf,
  transferMetadataRowOf,
  transferRowOf,
  trialBalanceChangesOf,
} from '@holdfast/ledger/following';

/**
 * The rows that a batch of events leaves, for whichever database they go into. Each row comes once, as the whole batch leaves it: a balance by its last event, a trial balance by its sum, what is
 * opened and changed in one batch as it is after the change.
 */
export class LedgerBatch {
  readonly ledgers: LedgerRow[] = [];
  readonly assets: AssetRow[] = [];
  readonly lines: StatementLineRow[] = [];
  private readonly opened = new Map<string, AccountRow>();
  private readonly changed = new Map<string, AccountRow>();
  private readonly posted = new Map<string, TransferRow>();
  private readonly renamed = new Map<string, TransferMetadataRow>();
  /** The last event that changed each balance. */
  private readonly lastOf = new Map<string, RecordedEvent>();
  private readonly totals = new Map<string, TrialBalanceRow>();

  constructor(events: readonly RecordedEvent[]) {
    for (const event of events) this.add(event);
  }

  get openedAccounts(): Iterable<AccountRow> {
    return this.opened.values();
  }

  /** Of accounts that were opened in an earlier batch. */
  get changedAccounts(): Iterable<AccountRow> {
    return this.changed.values();
  }

  get transfers(): Iterable<TransferRow> {
    return this.posted.values();
  }

  /** Of transfers that were posted in an earlier batch. */
  get changedTransfers(): Iterable<TransferMetadataRow> {
    return this.renamed.values();
  }

  /** What is to be added to each trial balance. */
  get trialBalanceChanges(): Iterable<TrialBalanceRow> {
    return this.totals.values();
  }

  *balances(): Iterable<BalanceRow> {
    // Each event once: it may be the last of many accounts, and rows for each of them would be the square of its legs.
    for (const event of new Set(this.lastOf.values()))
      for (const row of balanceRowsOf(event))
        if (this.lastOf.get(nameOf(row.ledger, row.accountId)) === event) yield row;
  }

  private add(event: RecordedEvent): void {
    switch (ledgerEventOf(event).type) {
      case 'TransferPosted':
        this.addTransfer(event);
        break;
      case 'LedgerOpened':
        this.ledgers.push(defined(ledgerRowOf(event), 'the ledger opened'));
        break;
      case 'AssetRegistered':
        this.assets.push(defined(assetRowOf(event), 'the asset registered'));
        break;
      case 'AccountOpened':
        this.openAccount(event);
        break;
      case 'AccountPolicyChanged':
      case 'AccountStatusChanged':
        this.changeAccount(defined(accountRowOf(event), 'the account of its event'));
        break;
      case 'MetadataChanged':
        this.changeMetadata(event);
        break;
      case 'CommandRejected':
      case 'CommandUnchanged':
        break;
    }
  }

  private addTransfer(event: RecordedEvent): void {
    const transfer = defined(transferRowOf(event), 'the transfer of its event');
    const name = nameOf(transfer.ledger, transfer.transferId);
    assert(!this.posted.has(name), 'a transfer is posted once');
    this.posted.set(name, transfer);
    for (const line of statementLinesOf(event)) {
      this.lines.push(line);
      this.lastOf.set(nameOf(line.ledger, line.accountId), event);
    }
    for (const change of trialBalanceChangesOf(event)) {
      const of = nameOf(change.ledger, change.asset);
      this.totals.set(of, addTrialBalance(this.totals.get(of), change));
    }
  }

  private openAccount(event: RecordedEvent): void {
    const account = defined(accountRowOf(event), 'the account opened');
    const name = nameOf(account.ledger, account.accountId);
    assert(!this.opened.has(name), 'an account is opened once');
    this.opened.set(name, account);
    this.lastOf.set(name, event);
  }

  private changeAccount(account: AccountRow): void {
    const name = nameOf(account.ledger, account.accountId);
    const opened = this.opened.get(name);
    // The position of its opening is its key.
    if (opened === undefined) this.changed.set(name, account);
    else this.opened.set(name, { ...account, position: opened.position });
  }

  private changeMetadata(event: RecordedEvent): void {
    const account = accountRowOf(event);
    if (account !== undefined) {
      this.changeAccount(account);
      return;
    }
    const change = defined(transferMetadataRowOf(event), 'what the metadata is of');
    const name = nameOf(change.ledger, change.transferId);
    const { metadata, version } = change;
    const posted = this.posted.get(name);
    if (posted === undefined) this.renamed.set(name, change);
    else this.posted.set(name, { ...posted, metadata, version });
  }
}

/** No ledger's name holds a slash. */
function nameOf(ledger: string, name: string): string {
  return `${ledger}/${name}`;
}

import type { RecordedEvent } from '@holdfast/event-store';
import { assert, defined } from '@holdfast/kernel';
import type {
  AccountRow,
  BalanceRow,
  Metadata,
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
import type { SqliteTransaction } from '@holdfast/projections';
import { amountBlob, amountOf } from './amount-blob.js';
import { LedgerKeys } from './ledger-keys.js';

/**
 * Writes one batch of events into the ledger's tables. Of each balance and each trial balance, only what the whole batch leaves
 * is written. Lines wait for the end of the batch too, to be written in the order in which they lie on disk: in the order of
 * the log, each line would touch another page.
 */
export class LedgerTableWriter {
  private readonly keys: LedgerKeys;
  private readonly lines: KeyedLine[] = [];
  /** The last event that changed each balance. */
  private readonly changedBalances = new Map<number, RecordedEvent>();
  private readonly trialBalances = new Map<string, TrialBalanceRow>();

  constructor(private readonly transaction: SqliteTransaction) {
    this.keys = new LedgerKeys(transaction);
  }

  write(event: RecordedEvent): void {
    switch (ledgerEventOf(event).type) {
      case 'TransferPosted':
        this.writeTransfer(event);
        break;
      case 'LedgerOpened':
        this.insertLedger(event);
        break;
      case 'AssetRegistered':
        this.insertAsset(event);
        break;
      case 'AccountOpened':
        this.insertAccount(event);
        break;
      case 'AccountPolicyChanged':
      case 'AccountStatusChanged':
        this.updateAccount(defined(accountRowOf(event), 'the account of its event'));
        break;
      case 'MetadataChanged':
        this.changeMetadata(event);
        break;
      case 'CommandRejected':
      case 'CommandUnchanged':
        break;
    }
  }

  finish(): void {
    this.insertLines();
    this.upsertBalances();
    const update = this.transaction.prepare(UPDATE_TRIAL_BALANCE);
    for (const { ledger, asset, debits, credits } of this.trialBalances.values())
      update.run(amountBlob(debits), amountBlob(credits), this.keys.ofLedger(ledger), asset);
  }

  private writeTransfer(event: RecordedEvent): void {
    const transfer = defined(transferRowOf(event), 'the transfer of its event');
    this.insertTransfer(this.keys.ofLedger(transfer.ledger), transfer);
    for (const line of statementLinesOf(event)) {
      const accountKey = this.keys.ofAccount(line.ledger, line.accountId);
      this.lines.push({ accountKey, line });
      this.changedBalances.set(accountKey, event);
    }
    for (const change of trialBalanceChangesOf(event)) this.addTrialBalance(change);
  }

  private insertTransfer(ledgerKey: number, transfer: TransferRow): void {
    const { position, effectiveAtMillis, metadata } = transfer;
    this.transaction
      .prepare(INSERT_TRANSFER)
      .run(
        position,
        ledgerKey,
        transfer.transferId,
        transfer.reference,
        effectiveAtMillis,
        transfer.recordedAtMillis,
        JSON.stringify(transfer.legs),
        JSON.stringify(metadata),
        transfer.version,
      );
    this.insertMetadata({ ledgerKey, effectiveAtMillis, position }, metadata);
  }

  private insertMetadata(of: IndexedTransfer, metadata: Metadata): void {
    const insert = this.transaction.prepare(INSERT_METADATA);
    for (const [key, value] of Object.entries(metadata))
      insert.run(of.ledgerKey, key, value, of.effectiveAtMillis, of.position);
  }

  private insertLines(): void {
    this.lines.sort(
      (one, other) =>
        one.accountKey - other.accountKey ||
        one.line.entryVersion - other.line.entryVersion ||
        one.line.line - other.line.line,
    );
    const insert = this.transaction.prepare(INSERT_LINE);
    for (const { accountKey, line } of this.lines)
      insert.run(
        accountKey,
        line.entryVersion,
        line.line,
        line.position,
        line.effectiveAtMillis,
        line.side,
        amountBlob(line.amount),
        amountBlob(line.balance),
      );
  }

  private upsertBalances(): void {
    // Each event once: it may be the last of many accounts, and rows for each of them would be the square of its legs.
    for (const event of new Set(this.changedBalances.values()))
      for (const row of balanceRowsOf(event)) {
        const accountKey = this.keys.ofAccount(row.ledger, row.accountId);
        if (this.changedBalances.get(accountKey) === event) this.upsertBalance(accountKey, row);
      }
  }

  private upsertBalance(accountKey: number, row: BalanceRow): void {
    this.transaction
      .prepare(UPSERT_BALANCE)
      .run(
        accountKey,
        amountBlob(row.debitsPosted),
        amountBlob(row.creditsPosted),
        amountBlob(row.debitsPending),
        amountBlob(row.creditsPending),
        amountBlob(row.balance),
        amountBlob(row.available),
        row.entryVersion,
        row.changedAtMillis,
      );
  }

  private addTrialBalance(change: TrialBalanceRow): void {
    const name = `${change.ledger}/${change.asset}`;
    const before = this.trialBalances.get(name) ?? this.storedTrialBalance(change);
    this.trialBalances.set(name, addTrialBalance(before, change));
  }

  private storedTrialBalance({ ledger, asset, position }: TrialBalanceRow): TrialBalanceRow {
    const stored = defined(
      this.transaction
        .prepare<[number, string], { debits: Buffer; credits: Buffer }>(SELECT_TRIAL_BALANCE)
        .get(this.keys.ofLedger(ledger), asset),
      `the asset ${asset} of ledger ${ledger}`,
    );
    const [debits, credits] = [amountOf(stored.debits), amountOf(stored.credits)];
    return { ledger, asset, debits, credits, position };
  }

  private insertLedger(event: RecordedEvent): void {
    const { ledger, openedAtMillis, position } = defined(ledgerRowOf(event), 'the ledger opened');
    this.transaction.prepare(INSERT_LEDGER).run(position, ledger, openedAtMillis);
  }

  private insertAsset(event: RecordedEvent): void {
    const { ledger, asset, scale, registeredAtMillis } = defined(
      assetRowOf(event),
      'the asset registered',
    );
    this.transaction
      .prepare(INSERT_ASSET)
      .run(this.keys.ofLedger(ledger), asset, scale, registeredAtMillis, NOTHING, NOTHING);
  }

  private insertAccount(event: RecordedEvent): void {
    const account = defined(accountRowOf(event), 'the account opened');
    this.transaction
      .prepare(INSERT_ACCOUNT)
      .run(
        account.position,
        this.keys.ofLedger(account.ledger),
        account.accountId,
        account.asset,
        account.normalSide,
        limitBlob(account.floor),
        limitBlob(account.ceiling),
        account.status,
        JSON.stringify(account.metadata),
        account.version,
        account.openedAtMillis,
      );
    this.changedBalances.set(account.position, event);
  }

  private updateAccount(account: AccountRow): void {
    const { changes } = this.transaction
      .prepare(UPDATE_ACCOUNT)
      .run(
        limitBlob(account.floor),
        limitBlob(account.ceiling),
        account.status,
        JSON.stringify(account.metadata),
        account.version,
        this.keys.ofAccount(account.ledger, account.accountId),
      );
    assert(changes === 1, 'an account that changes is known');
  }

  private changeMetadata(event: RecordedEvent): void {
    const account = accountRowOf(event);
    if (account === undefined)
      this.updateTransfer(defined(transferMetadataRowOf(event), 'what the metadata is of'));
    else this.updateAccount(account);
  }

  private updateTransfer({ ledger, transferId, metadata, version }: TransferMetadataRow): void {
    const ledgerKey = this.keys.ofLedger(ledger);
    const {
      position,
      effective_at,
      metadata: before,
    } = defined(
      this.transaction
        .prepare<[string, number], StoredTransfer>(SELECT_TRANSFER)
        .get(transferId, ledgerKey),
      `the transfer ${transferId}`,
    );
    const remove = this.transaction.prepare(DELETE_METADATA);
    for (const [key, value] of Object.entries(JSON.parse(before) as Metadata))
      remove.run(ledgerKey, key, value, effective_at, position);
    this.insertMetadata({ ledgerKey, effectiveAtMillis: effective_at, position }, metadata);
    this.transaction.prepare(UPDATE_TRANSFER).run(JSON.stringify(metadata), version, position);
  }
}

interface KeyedLine {
  readonly accountKey: number;
  readonly line: StatementLineRow;
}

interface IndexedTransfer {
  readonly ledgerKey: number;
  readonly effectiveAtMillis: number;
  readonly position: number;
}

interface StoredTransfer {
  readonly position: number;
  readonly effective_at: number;
  readonly metadata: string;
}

const NOTHING = amountBlob(0n);

function limitBlob(limit: bigint | null): Buffer | null {
  return limit === null ? null : amountBlob(limit);
}

const INSERT_LEDGER = 'INSERT INTO ledgers (ledger_key, ledger, opened_at) VALUES (?, ?, ?)';
const INSERT_ASSET = `INSERT INTO assets (ledger_key, asset, scale, registered_at, debits, credits)
  VALUES (?, ?, ?, ?, ?, ?)`;
const INSERT_ACCOUNT = `INSERT INTO accounts (account_key, ledger_key, account_id, asset, normal_side, floor, ceiling, status,
  metadata, version, opened_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const UPDATE_ACCOUNT = `UPDATE accounts SET floor = ?, ceiling = ?, status = ?, metadata = ?, version = ?
  WHERE account_key = ?`;
const UPSERT_BALANCE = `INSERT OR REPLACE INTO balances (account_key, debits_posted, credits_posted, debits_pending,
  credits_pending, balance, available, entry_version, changed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const INSERT_TRANSFER = `INSERT INTO transfers (position, ledger_key, transfer_id, reference, effective_at, recorded_at, legs,
  metadata, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const SELECT_TRANSFER = `SELECT position, effective_at, metadata FROM transfers
  WHERE transfer_id = ? AND ledger_key = ?`;
const UPDATE_TRANSFER = 'UPDATE transfers SET metadata = ?, version = ? WHERE position = ?';
const INSERT_METADATA = `INSERT INTO transfer_metadata (ledger_key, key, value, effective_at, position)
  VALUES (?, ?, ?, ?, ?)`;
const DELETE_METADATA = `DELETE FROM transfer_metadata
  WHERE ledger_key = ? AND key = ? AND value = ? AND effective_at = ? AND position = ?`;
const INSERT_LINE = `INSERT INTO statement_lines (account_key, entry_version, line, position, effective_at, side, amount,
  balance) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;
const SELECT_TRIAL_BALANCE =
  'SELECT debits, credits FROM assets WHERE ledger_key = ? AND asset = ?';
const UPDATE_TRIAL_BALANCE =
  'UPDATE assets SET debits = ?, credits = ? WHERE ledger_key = ? AND asset = ?';

import { assert, defined } from '@holdfast/kernel';
import type {
  AccountRow,
  AssetRow,
  BalanceRow,
  LedgerRow,
  Metadata,
  StatementLineRow,
  TransferMetadataRow,
  TransferRow,
  TrialBalanceRow,
} from '@holdfast/ledger';
import type { SqliteTransaction } from '@holdfast/projections';
import { amountBlob, amountOf } from './amount-blob.js';
import type { LedgerBatch } from './ledger-batch.js';
import { LedgerKeys } from './ledger-keys.js';

/**
 * Writes the rows of one batch into the ledger's tables in SQLite. Lines are written in the order in which they lie on disk: in the order of the log, each line would touch another page.
 */
export class LedgerTableWriter {
  private readonly keys: LedgerKeys;

  constructor(private readonly transaction: SqliteTransaction) {
    this.keys = new LedgerKeys(transaction);
  }

  write(batch: LedgerBatch): void {
    for (const ledger of batch.ledgers) this.insertLedger(ledger);
    for (const asset of batch.assets) this.insertAsset(asset);
    for (const account of batch.openedAccounts) this.insertAccount(account);
    for (const account of batch.changedAccounts) this.updateAccount(account);
    for (const transfer of batch.transfers) this.insertTransfer(transfer);
    for (const change of batch.changedTransfers) this.updateTransfer(change);
    this.insertLines(batch.lines);
    for (const balance of batch.balances()) this.upsertBalance(balance);
    for (const change of batch.trialBalanceChanges) this.addTrialBalance(change);
  }

  private insertTransfer(transfer: TransferRow): void {
    const { position, effectiveAtMillis, metadata } = transfer;
    const ledgerKey = this.keys.ofLedger(transfer.ledger);
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

  private insertLines(lines: readonly StatementLineRow[]): void {
    const keyed = lines.map((line): KeyedLine => {
      return { accountKey: this.keys.ofAccount(line.ledger, line.accountId), line };
    });
    keyed.sort(
      (one, other) =>
        one.accountKey - other.accountKey ||
        one.line.entryVersion - other.line.entryVersion ||
        one.line.line - other.line.line,
    );
    const insert = this.transaction.prepare(INSERT_LINE);
    for (const { accountKey, line } of keyed)
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

  private upsertBalance(row: BalanceRow): void {
    this.transaction
      .prepare(UPSERT_BALANCE)
      .run(
        this.keys.ofAccount(row.ledger, row.accountId),
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

  /** Added here and not in SQL, whose integers are not as wide. */
  private addTrialBalance({ ledger, asset, debits, credits }: TrialBalanceRow): void {
    const ledgerKey = this.keys.ofLedger(ledger);
    const stored = defined(
      this.transaction
        .prepare<[number, string], { debits: Buffer; credits: Buffer }>(SELECT_TRIAL_BALANCE)
        .get(ledgerKey, asset),
      `the asset ${asset} of ledger ${ledger}`,
    );
    this.transaction
      .prepare(UPDATE_TRIAL_BALANCE)
      .run(
        amountBlob(amountOf(stored.debits) + debits),
        amountBlob(amountOf(stored.credits) + credits),
        ledgerKey,
        asset,
      );
  }

  private insertLedger({ ledger, openedAtMillis, position }: LedgerRow): void {
    this.transaction.prepare(INSERT_LEDGER).run(position, ledger, openedAtMillis);
  }

  private insertAsset({ ledger, asset, scale, registeredAtMillis }: AssetRow): void {
    this.transaction
      .prepare(INSERT_ASSET)
      .run(this.keys.ofLedger(ledger), asset, scale, registeredAtMillis, NOTHING, NOTHING);
  }

  private insertAccount(account: AccountRow): void {
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

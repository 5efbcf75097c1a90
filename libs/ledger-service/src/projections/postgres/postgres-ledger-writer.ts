import { assert, defined } from '@holdfast/kernel';
import type { AccountRow, Metadata } from '@holdfast/ledger';
import type { PostgresTransaction } from '@holdfast/projections/postgres';
import type { LedgerBatch } from '../ledger-batch.js';
import { PostgresLedgerKeys } from './postgres-ledger-keys.js';

/** Writes the rows of one batch into the ledger's tables in PostgreSQL: one statement a table, however many rows. */
export async function writeLedgerBatch(
  batch: LedgerBatch,
  transaction: PostgresTransaction,
): Promise<void> {
  const keys = await PostgresLedgerKeys.of(batch, transaction);
  await insertBooks(batch, keys, transaction);
  await updateAccounts(batch, keys, transaction);
  await insertTransfers(batch, keys, transaction);
  await changeTransfers(batch, keys, transaction);
  await writeBalances(batch, keys, transaction);
}

type Write = (
  batch: LedgerBatch,
  keys: PostgresLedgerKeys,
  transaction: PostgresTransaction,
) => Promise<void>;

const insertBooks: Write = async (batch, keys, { queryRows }) => {
  await queryRows(
    INSERT_LEDGERS,
    batch.ledgers.map(({ position, ledger, openedAtMillis }) => [position, ledger, openedAtMillis]),
  );
  await queryRows(
    INSERT_ASSETS,
    batch.assets.map(({ ledger, asset, scale, registeredAtMillis }) => [
      ...[keys.ofLedger(ledger), asset, scale, registeredAtMillis],
    ]),
  );
  await queryRows(
    INSERT_ACCOUNTS,
    Array.from(batch.openedAccounts, (account) => [
      ...[account.position, keys.ofLedger(account.ledger), account.accountId],
      ...[account.asset, account.normalSide, account.openedAtMillis],
      ...changingOf(account),
    ]),
  );
};

const updateAccounts: Write = async (batch, keys, { queryRows }) => {
  const rows = Array.from(batch.changedAccounts, (account) => [
    keys.ofAccount(account.ledger, account.accountId),
    ...changingOf(account),
  ]);
  const updated = await queryRows(UPDATE_ACCOUNTS, rows);
  assert(updated.length === rows.length, 'an account that changes is known');
};

const insertTransfers: Write = async (batch, keys, transaction) => {
  const transfers = Array.from(batch.transfers, (transfer) => ({
    ...transfer,
    ledgerKey: keys.ofLedger(transfer.ledger),
  }));
  await transaction.queryRows(
    INSERT_TRANSFERS,
    transfers.map((transfer) => [
      ...[transfer.position, transfer.ledgerKey, transfer.transferId, transfer.reference],
      ...[transfer.effectiveAtMillis, transfer.recordedAtMillis, JSON.stringify(transfer.legs)],
      ...[JSON.stringify(transfer.metadata), transfer.version],
    ]),
  );
  await insertMetadata(transfers, transaction);
};

interface IndexedTransfer {
  readonly ledgerKey: number;
  readonly effectiveAtMillis: number;
  readonly position: number;
  readonly metadata: Metadata;
}

async function insertMetadata(
  transfers: readonly IndexedTransfer[],
  { queryRows }: PostgresTransaction,
): Promise<void> {
  await queryRows(
    INSERT_METADATA,
    transfers.flatMap(({ ledgerKey, effectiveAtMillis, position, metadata }) =>
      Object.entries(metadata).map(([key, value]) => [
        ...[ledgerKey, key, value, effectiveAtMillis, position],
      ]),
    ),
  );
}

const changeTransfers: Write = async (batch, keys, transaction) => {
  const changes = Array.from(batch.changedTransfers, (change) => ({
    ...change,
    ledgerKey: keys.ofLedger(change.ledger),
  }));
  if (changes.length === 0) return;
  await transaction.queryRows(
    DELETE_METADATA,
    changes.map(({ ledgerKey, transferId }) => [ledgerKey, transferId]),
  );
  const stored = await transaction.queryRows<StoredTransfer>(
    UPDATE_TRANSFERS,
    changes.map(({ ledgerKey, transferId, metadata, version }) => [
      ...[ledgerKey, transferId, JSON.stringify(metadata), version],
    ]),
  );
  const byId = new Map(stored.map((row) => [`${row.ledger_key}/${row.transfer_id}`, row]));
  const indexed = changes.map(({ ledgerKey, transferId, metadata }): IndexedTransfer => {
    const found = defined(byId.get(`${ledgerKey}/${transferId}`), `the transfer ${transferId}`);
    const { effective_at: effectiveAtMillis, position } = found;
    return { ledgerKey, effectiveAtMillis, position, metadata };
  });
  await insertMetadata(indexed, transaction);
};

interface StoredTransfer {
  readonly ledger_key: number;
  readonly transfer_id: string;
  readonly position: number;
  readonly effective_at: number;
}

const writeBalances: Write = async (batch, keys, { queryRows }) => {
  await queryRows(
    INSERT_LINES,
    batch.lines.map((line) => [
      ...[keys.ofAccount(line.ledger, line.accountId), line.entryVersion, line.line, line.position],
      ...[line.effectiveAtMillis, line.side, line.amount, line.balance],
    ]),
  );
  await queryRows(
    UPSERT_BALANCES,
    Array.from(batch.balances(), (row) => [
      ...[keys.ofAccount(row.ledger, row.accountId), row.debitsPosted, row.creditsPosted],
      ...[row.debitsPending, row.creditsPending, row.balance, row.available],
      ...[row.entryVersion, row.changedAtMillis],
    ]),
  );
  const changes = Array.from(batch.trialBalanceChanges, ({ ledger, asset, debits, credits }) => [
    ...[keys.ofLedger(ledger), asset, debits, credits],
  ]);
  const added = await queryRows(ADD_TRIAL_BALANCES, changes);
  assert(added.length === changes.length, 'an asset that is posted in is known');
};

/** What of an account changes, as columns. */
function changingOf({ floor, ceiling, status, metadata, version }: AccountRow): unknown[] {
  return [floor, ceiling, status, JSON.stringify(metadata), version];
}

const INSERT_LEDGERS = `
  INSERT INTO ledgers (ledger_key, ledger, opened_at) SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[])
`;
const INSERT_ASSETS = `
  INSERT INTO assets (ledger_key, asset, scale, registered_at, debits, credits)
  SELECT *, 0, 0 FROM unnest($1::bigint[], $2::text[], $3::integer[], $4::bigint[])
`;
const INSERT_ACCOUNTS = `
  INSERT INTO accounts (account_key, ledger_key, account_id, asset, normal_side, opened_at, floor, ceiling, status, metadata, version)
  SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::numeric[], $8::numeric[],
    $9::text[], $10::text[], $11::bigint[])
`;
const UPDATE_ACCOUNTS = `
  UPDATE accounts AS a SET floor = c.floor, ceiling = c.ceiling, status = c.status, metadata = c.metadata, version = c.version
  FROM unnest($1::bigint[], $2::numeric[], $3::numeric[], $4::text[], $5::text[], $6::bigint[])
    AS c (account_key, floor, ceiling, status, metadata, version)
  WHERE a.account_key = c.account_key RETURNING a.account_key
`;
const INSERT_TRANSFERS = `
  INSERT INTO transfers (position, ledger_key, transfer_id, reference, effective_at, recorded_at, legs, metadata, version)
  SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::text[], $8::text[], $9::bigint[])
`;
const UPDATE_TRANSFERS = `
  UPDATE transfers AS t SET metadata = c.metadata, version = c.version
  FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[]) AS c (ledger_key, transfer_id, metadata, version)
  WHERE t.transfer_id = c.transfer_id AND t.ledger_key = c.ledger_key
  RETURNING t.ledger_key, t.transfer_id, t.position, t.effective_at
`;
const INSERT_METADATA = `
  INSERT INTO transfer_metadata (ledger_key, key, value, effective_at, position)
  SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::bigint[])
`;
/** By the metadata that the transfer has until now. */
const DELETE_METADATA = `
  DELETE FROM transfer_metadata AS m
  USING unnest($1::bigint[], $2::text[]) AS c (ledger_key, transfer_id), transfers AS t, json_each_text(t.metadata::json) AS had
  WHERE t.transfer_id = c.transfer_id AND t.ledger_key = c.ledger_key
    AND m.ledger_key = t.ledger_key AND m.key = had.key AND m.value = had.value AND m.effective_at = t.effective_at AND m.position = t.position
`;
const INSERT_LINES = `
  INSERT INTO statement_lines (account_key, entry_version, line, position, effective_at, side, amount, balance)
  SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::numeric[], $8::numeric[])
`;
const UPSERT_BALANCES = `
  INSERT INTO balances (account_key, debits_posted, credits_posted, debits_pending, credits_pending, balance, available, entry_version, changed_at)
  SELECT * FROM unnest($1::bigint[], $2::numeric[], $3::numeric[], $4::numeric[], $5::numeric[], $6::numeric[], $7::numeric[], $8::bigint[], $9::bigint[])
  ON CONFLICT (account_key) DO UPDATE SET debits_posted = excluded.debits_posted, credits_posted = excluded.credits_posted,
    debits_pending = excluded.debits_pending, credits_pending = excluded.credits_pending, balance = excluded.balance,
    available = excluded.available, entry_version = excluded.entry_version, changed_at = excluded.changed_at
`;
const ADD_TRIAL_BALANCES = `
  UPDATE assets AS a SET debits = a.debits + c.debits, credits = a.credits + c.credits
  FROM unnest($1::bigint[], $2::text[], $3::numeric[], $4::numeric[]) AS c (ledger_key, asset, debits, credits)
  WHERE a.ledger_key = c.ledger_key AND a.asset = c.asset RETURNING a.asset
`;

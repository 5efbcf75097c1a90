/**
 * The tables of the ledger's read model. One projection fills them all, so one position stands for them all: whatever a query
 * joins is of one moment, and a client that waits for its command waits once.
 *
 * Keys are positions: a ledger, an account and a transfer are each known by the position of the event that made them. A
 * position is small, grows with the log (new rows go to the end of their table), is the same after a rebuild, and cannot clash.
 * Times are milliseconds since 1970 UTC; amounts are `amountBlob`s in minor units; metadata and legs are JSON.
 *
 * `strict`: a number can never slip into an amount. `without rowid`: rows lie in the order in which they are read.
 */
export const LEDGER_TABLES: readonly string[] = [
  `create table "ledgers" (
    "ledger_key" integer primary key,
    "ledger" text not null unique,
    "opened_at" integer not null
  ) strict`,
  // An asset and its trial balance: all that was ever debited and credited in it.
  `create table "assets" (
    "ledger_key" integer not null,
    "asset" text not null,
    "scale" integer not null,
    "registered_at" integer not null,
    "debits" blob not null,
    "credits" blob not null,
    constraint "assets_key" primary key ("ledger_key", "asset")
  ) strict, without rowid`,
  `create table "accounts" (
    "account_key" integer primary key,
    "ledger_key" integer not null,
    "account_id" text not null,
    "asset" text not null,
    "normal_side" text not null,
    "floor" blob,
    "ceiling" blob,
    "status" text not null,
    "metadata" text not null,
    "version" integer not null,
    "opened_at" integer not null
  ) strict`,
  `create unique index "accounts_by_id" on "accounts" ("ledger_key", "account_id")`,
  // Balances have a table of their own because they change with every transfer, and what is beside them hardly ever.
  `create table "balances" (
    "account_key" integer primary key,
    "debits_posted" blob not null,
    "credits_posted" blob not null,
    "debits_pending" blob not null,
    "credits_pending" blob not null,
    "balance" blob not null,
    "available" blob not null,
    "entry_version" integer not null,
    "changed_at" integer not null
  ) strict`,
  // Every index of transfers ends in (effective_at, position): the order in which they are listed, whatever they are found by.
  `create table "transfers" (
    "position" integer primary key,
    "ledger_key" integer not null,
    "transfer_id" text not null,
    "reference" text,
    "effective_at" integer not null,
    "recorded_at" integer not null,
    "legs" text not null,
    "metadata" text not null,
    "version" integer not null
  ) strict`,
  `create unique index "transfers_by_id" on "transfers" ("transfer_id", "ledger_key")`,
  `create unique index "transfers_by_reference"
    on "transfers" ("reference", "ledger_key")
    where "reference" is not null`,
  `create index "transfers_by_time" on "transfers" ("ledger_key", "effective_at", "position")`,
  `create table "transfer_metadata" (
    "ledger_key" integer not null,
    "key" text not null,
    "value" text not null,
    "effective_at" integer not null,
    "position" integer not null,
    constraint "transfer_metadata_key" primary key ("ledger_key", "key", "value", "effective_at", "position")
  ) strict, without rowid`,
  // What a line says of its transfer beyond these columns stands in the transfer's row, once.
  `create table "statement_lines" (
    "account_key" integer not null,
    "entry_version" integer not null,
    "line" integer not null,
    "position" integer not null,
    "effective_at" integer not null,
    "side" text not null,
    "amount" blob not null,
    "balance" blob not null,
    constraint "statement_lines_key" primary key ("account_key", "entry_version", "line")
  ) strict, without rowid`,
  // The transfers of an account: each once, however many of its legs name the account.
  `create unique index "transfers_by_account"
    on "statement_lines" ("account_key", "effective_at", "position")
    where "line" = 0`,
].map(onOneLine);

/** SQLite keeps the text of a definition, and tables that older builds made have it on one line. */
function onOneLine(statement: string): string {
  return statement.replace(/\s+/g, ' ').replaceAll('( ', '(').replaceAll(' )', ')');
}

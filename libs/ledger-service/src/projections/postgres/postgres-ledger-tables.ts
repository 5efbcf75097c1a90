/**
 * The tables of the ledger's read model in PostgreSQL: those of `ledger-tables.ts`, with the same names, keys and columns. Amounts are `numeric`, which has as many digits as they need. Names and ids
 * are compared byte by byte (`COLLATE "C"`), whatever the database's own order is, so that lists are in the same order everywhere. Metadata and legs are JSON as text: `jsonb` would give them back in
 * another order.
 *
 * Balances and assets are updated all the time: room on each page keeps their new rows beside the old ones, and out of the index.
 */
export const POSTGRES_LEDGER_TABLES: readonly string[] = [
  `CREATE TABLE ledgers (
    ledger_key bigint PRIMARY KEY,
    ledger text COLLATE "C" NOT NULL UNIQUE,
    opened_at bigint NOT NULL
  )`,
  `CREATE TABLE assets (
    ledger_key bigint NOT NULL,
    asset text COLLATE "C" NOT NULL,
    scale integer NOT NULL,
    registered_at bigint NOT NULL,
    debits numeric NOT NULL,
    credits numeric NOT NULL,
    PRIMARY KEY (ledger_key, asset)
  ) WITH (fillfactor = 50)`,
  `CREATE TABLE accounts (
    account_key bigint PRIMARY KEY,
    ledger_key bigint NOT NULL,
    account_id text COLLATE "C" NOT NULL,
    asset text COLLATE "C" NOT NULL,
    normal_side text NOT NULL,
    floor numeric,
    ceiling numeric,
    status text NOT NULL,
    metadata text NOT NULL,
    version bigint NOT NULL,
    opened_at bigint NOT NULL
  )`,
  `CREATE UNIQUE INDEX accounts_by_id ON accounts (ledger_key, account_id)`,
  `CREATE TABLE balances (
    account_key bigint PRIMARY KEY,
    debits_posted numeric NOT NULL,
    credits_posted numeric NOT NULL,
    debits_pending numeric NOT NULL,
    credits_pending numeric NOT NULL,
    balance numeric NOT NULL,
    available numeric NOT NULL,
    entry_version bigint NOT NULL,
    changed_at bigint NOT NULL
  ) WITH (fillfactor = 50)`,
  `CREATE TABLE transfers (
    position bigint PRIMARY KEY,
    ledger_key bigint NOT NULL,
    transfer_id text COLLATE "C" NOT NULL,
    reference text COLLATE "C",
    effective_at bigint NOT NULL,
    recorded_at bigint NOT NULL,
    legs text NOT NULL,
    metadata text NOT NULL,
    version bigint NOT NULL
  )`,
  `CREATE UNIQUE INDEX transfers_by_id ON transfers (transfer_id, ledger_key)`,
  `CREATE UNIQUE INDEX transfers_by_reference ON transfers (reference, ledger_key)
    WHERE reference IS NOT NULL`,
  `CREATE INDEX transfers_by_time ON transfers (ledger_key, effective_at, position)`,
  // A key and a value have 2,160 bytes at most: an entry of an index may have 2,704.
  `CREATE TABLE transfer_metadata (
    ledger_key bigint NOT NULL,
    key text COLLATE "C" NOT NULL,
    value text COLLATE "C" NOT NULL,
    effective_at bigint NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (ledger_key, key, value, effective_at, position)
  )`,
  `CREATE TABLE statement_lines (
    account_key bigint NOT NULL,
    entry_version bigint NOT NULL,
    line bigint NOT NULL,
    position bigint NOT NULL,
    effective_at bigint NOT NULL,
    side text NOT NULL,
    amount numeric NOT NULL,
    balance numeric NOT NULL,
    PRIMARY KEY (account_key, entry_version, line)
  )`,
  `CREATE UNIQUE INDEX transfers_by_account ON statement_lines (account_key, effective_at, position)
    WHERE line = 0`,
];

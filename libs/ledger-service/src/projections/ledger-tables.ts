import { type CreateTableBuilder, type Kysely, sql } from 'kysely';

/**
 * The tables of the ledger's read model. One projection fills them all, so one position stands for them all: whatever a query
 * joins is of one moment, and a client that waits for its command waits once.
 *
 * Keys are positions: a ledger, an account and a transfer are each known by the position of the event that made them. A
 * position is small, grows with the log (new rows go to the end of their table), is the same after a rebuild, and cannot clash.
 * Times are milliseconds since 1970 UTC; amounts are `amountBlob`s in minor units; metadata and legs are JSON.
 *
 * `STRICT`: a number can never slip into an amount. `WITHOUT ROWID`: rows lie in the order in which they are read.
 */
export async function createLedgerTables(schema: Kysely<unknown>): Promise<void> {
  await createLedgers(schema);
  await createAccounts(schema);
  await createTransfers(schema);
  await createStatementLines(schema);
}

async function createLedgers(schema: Kysely<unknown>): Promise<void> {
  await strict(
    schema.schema
      .createTable('ledgers')
      .addColumn('ledger_key', 'integer', (column) => column.primaryKey())
      .addColumn('ledger', 'text', (column) => column.notNull().unique())
      .addColumn('opened_at', 'integer', (column) => column.notNull()),
  ).execute();
  // An asset and its trial balance: all that was ever debited and credited in it.
  await strictInKeyOrder(
    schema.schema
      .createTable('assets')
      .addColumn('ledger_key', 'integer', (column) => column.notNull())
      .addColumn('asset', 'text', (column) => column.notNull())
      .addColumn('scale', 'integer', (column) => column.notNull())
      .addColumn('registered_at', 'integer', (column) => column.notNull())
      .addColumn('debits', 'blob', (column) => column.notNull())
      .addColumn('credits', 'blob', (column) => column.notNull())
      .addPrimaryKeyConstraint('assets_key', ['ledger_key', 'asset']),
  ).execute();
}

/** Balances have a table of their own because they change with every transfer, and what is beside them hardly ever. */
async function createAccounts(schema: Kysely<unknown>): Promise<void> {
  await strict(
    schema.schema
      .createTable('accounts')
      .addColumn('account_key', 'integer', (column) => column.primaryKey())
      .addColumn('ledger_key', 'integer', (column) => column.notNull())
      .addColumn('account_id', 'text', (column) => column.notNull())
      .addColumn('asset', 'text', (column) => column.notNull())
      .addColumn('normal_side', 'text', (column) => column.notNull())
      .addColumn('floor', 'blob')
      .addColumn('ceiling', 'blob')
      .addColumn('status', 'text', (column) => column.notNull())
      .addColumn('metadata', 'text', (column) => column.notNull())
      .addColumn('version', 'integer', (column) => column.notNull())
      .addColumn('opened_at', 'integer', (column) => column.notNull()),
  ).execute();
  await schema.schema
    .createIndex('accounts_by_id')
    .unique()
    .on('accounts')
    .columns(['ledger_key', 'account_id'])
    .execute();
  await strict(
    schema.schema
      .createTable('balances')
      .addColumn('account_key', 'integer', (column) => column.primaryKey())
      .addColumn('debits_posted', 'blob', (column) => column.notNull())
      .addColumn('credits_posted', 'blob', (column) => column.notNull())
      .addColumn('debits_pending', 'blob', (column) => column.notNull())
      .addColumn('credits_pending', 'blob', (column) => column.notNull())
      .addColumn('balance', 'blob', (column) => column.notNull())
      .addColumn('available', 'blob', (column) => column.notNull())
      .addColumn('entry_version', 'integer', (column) => column.notNull())
      .addColumn('changed_at', 'integer', (column) => column.notNull()),
  ).execute();
}

/** Every index ends in (effective_at, position): the order in which transfers are listed, whatever they are found by. */
async function createTransfers(schema: Kysely<unknown>): Promise<void> {
  await strict(
    schema.schema
      .createTable('transfers')
      .addColumn('position', 'integer', (column) => column.primaryKey())
      .addColumn('ledger_key', 'integer', (column) => column.notNull())
      .addColumn('transfer_id', 'text', (column) => column.notNull())
      .addColumn('reference', 'text')
      .addColumn('effective_at', 'integer', (column) => column.notNull())
      .addColumn('recorded_at', 'integer', (column) => column.notNull())
      .addColumn('legs', 'text', (column) => column.notNull())
      .addColumn('metadata', 'text', (column) => column.notNull())
      .addColumn('version', 'integer', (column) => column.notNull()),
  ).execute();
  await schema.schema
    .createIndex('transfers_by_id')
    .unique()
    .on('transfers')
    .columns(['transfer_id', 'ledger_key'])
    .execute();
  await schema.schema
    .createIndex('transfers_by_reference')
    .unique()
    .on('transfers')
    .columns(['reference', 'ledger_key'])
    .where(sql.ref('reference'), 'is not', null)
    .execute();
  await schema.schema
    .createIndex('transfers_by_time')
    .on('transfers')
    .columns(['ledger_key', 'effective_at', 'position'])
    .execute();
  await strictInKeyOrder(
    schema.schema
      .createTable('transfer_metadata')
      .addColumn('ledger_key', 'integer', (column) => column.notNull())
      .addColumn('key', 'text', (column) => column.notNull())
      .addColumn('value', 'text', (column) => column.notNull())
      .addColumn('effective_at', 'integer', (column) => column.notNull())
      .addColumn('position', 'integer', (column) => column.notNull())
      .addPrimaryKeyConstraint('transfer_metadata_key', [
        'ledger_key',
        'key',
        'value',
        'effective_at',
        'position',
      ]),
  ).execute();
}

/** What a line says of its transfer beyond these columns stands in the transfer's row, once. */
async function createStatementLines(schema: Kysely<unknown>): Promise<void> {
  await strictInKeyOrder(
    schema.schema
      .createTable('statement_lines')
      .addColumn('account_key', 'integer', (column) => column.notNull())
      .addColumn('entry_version', 'integer', (column) => column.notNull())
      .addColumn('line', 'integer', (column) => column.notNull())
      .addColumn('position', 'integer', (column) => column.notNull())
      .addColumn('effective_at', 'integer', (column) => column.notNull())
      .addColumn('side', 'text', (column) => column.notNull())
      .addColumn('amount', 'blob', (column) => column.notNull())
      .addColumn('balance', 'blob', (column) => column.notNull())
      .addPrimaryKeyConstraint('statement_lines_key', ['account_key', 'entry_version', 'line']),
  ).execute();
  // The transfers of an account: each once, however many of its legs name the account.
  await schema.schema
    .createIndex('transfers_by_account')
    .unique()
    .on('statement_lines')
    .columns(['account_key', 'effective_at', 'position'])
    .where(sql.ref('line'), '=', sql.lit(0))
    .execute();
}

function strict<Table extends string, Columns extends string>(
  table: CreateTableBuilder<Table, Columns>,
): CreateTableBuilder<Table, Columns> {
  return table.modifyEnd(sql`strict`);
}

function strictInKeyOrder<Table extends string, Columns extends string>(
  table: CreateTableBuilder<Table, Columns>,
): CreateTableBuilder<Table, Columns> {
  return table.modifyEnd(sql`strict, without rowid`);
}

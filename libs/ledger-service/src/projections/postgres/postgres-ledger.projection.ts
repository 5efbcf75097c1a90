import type { SqlProjection } from '@holdfast/projections';
import type { PostgresTransaction } from '@holdfast/projections/postgres';
import { LedgerBatch } from '../ledger-batch.js';
import { LEDGER_PROJECTION } from '../ledger.projection.js';
import { writeLedgerBatch } from './postgres-ledger-writer.js';
import { POSTGRES_LEDGER_TABLES } from './postgres-ledger-tables.js';

/** The ledger's read model in PostgreSQL. */
export const postgresLedgerProjection: SqlProjection<PostgresTransaction> = {
  ...LEDGER_PROJECTION,
  tables: POSTGRES_LEDGER_TABLES,
  apply: (events, transaction) => writeLedgerBatch(new LedgerBatch(events), transaction),
};

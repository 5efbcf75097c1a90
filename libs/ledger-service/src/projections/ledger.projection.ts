import type { RecordedEvent } from '@holdfast/event-store';
import {
  ACCOUNT_ROW_EVENTS,
  ASSET_ROW_EVENTS,
  BALANCE_ROW_EVENTS,
  LEDGER_ROW_EVENTS,
  STATEMENT_LINE_EVENTS,
  TRANSFER_ROW_EVENTS,
  TRIAL_BALANCE_EVENTS,
} from '@holdfast/ledger/following';
import type { SqlProjection, SqliteTransaction } from '@holdfast/projections';
import { LedgerBatch } from './ledger-batch.js';
import { LedgerTableWriter } from './ledger-table-writer.js';
import { LEDGER_TABLES } from './ledger-tables.js';

/**
 * All that the ledger's queries read, in one projection with one position. Refusals move that position only. The same in every database, but for the tables and how they are written.
 */
export const LEDGER_PROJECTION = {
  name: 'ledger',
  version: 1,
  handles: [
    ...new Set([
      ...LEDGER_ROW_EVENTS,
      ...ASSET_ROW_EVENTS,
      ...ACCOUNT_ROW_EVENTS,
      ...BALANCE_ROW_EVENTS,
      ...STATEMENT_LINE_EVENTS,
      ...TRANSFER_ROW_EVENTS,
      ...TRIAL_BALANCE_EVENTS,
    ]),
  ],
  /** A balance is what its account's last event says, and transfers are streams of their own: the tags name their accounts. */
  touches: ({ tags }: RecordedEvent): readonly string[] => tags,
} as const;

export const ledgerProjection: SqlProjection<SqliteTransaction> = {
  ...LEDGER_PROJECTION,
  tables: LEDGER_TABLES,
  apply(events: readonly RecordedEvent[], transaction: SqliteTransaction): void {
    new LedgerTableWriter(transaction).write(new LedgerBatch(events));
  },
};

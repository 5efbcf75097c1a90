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
import { LedgerTableWriter } from './ledger-table-writer.js';
import { LEDGER_TABLES } from './ledger-tables.js';

/** All that the ledger's queries read, in one projection with one position. Refusals move that position only. */
export const ledgerProjection: SqlProjection<SqliteTransaction> = {
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
  tables: LEDGER_TABLES,
  apply(events: readonly RecordedEvent[], transaction: SqliteTransaction): void {
    const writer = new LedgerTableWriter(transaction);
    for (const event of events) writer.write(event);
    writer.finish();
  },
};

import type { RecordedEvent } from '@holdfast/event-store';
import {
  type SqliteStatement,
  SqliteStatements,
  type SqliteTransaction,
} from '@holdfast/projections';
import Database from 'better-sqlite3';
import { ledgerProjection } from '../ledger.projection.js';

/** The ledger's tables without a store around them: what `apply` alone does. */
export class LedgerTablesInMemory implements SqliteTransaction {
  private readonly database = new Database(':memory:');
  private readonly statements = new SqliteStatements(this.database);

  constructor() {
    for (const statement of ledgerProjection.tables) this.database.exec(statement);
  }

  prepare<Parameters extends unknown[], Row>(sql: string): SqliteStatement<Parameters, Row> {
    return this.statements.prepare(sql);
  }

  apply(events: readonly RecordedEvent[]): void {
    const handled = events.filter(({ type }) => ledgerProjection.handles.includes(type));
    this.database.transaction(() => void ledgerProjection.apply(handled, this))();
  }

  /** Every row of every table. */
  contents(): Record<string, unknown[]> {
    const tables = this.prepare<[], { name: string }>(
      "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name",
    ).all();
    return Object.fromEntries(
      tables.map(({ name }) => [name, this.prepare(`SELECT * FROM ${name}`).all()]),
    );
  }

  close(): void {
    this.database.close();
  }
}

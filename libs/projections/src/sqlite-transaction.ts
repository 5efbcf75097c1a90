import type { Statement } from 'better-sqlite3';

/**
 * What a projection writes through: better-sqlite3's own statements, compiled once a connection and kept. Kysely makes the tables;
 * here it would compile each statement for each event, which costs more than SQLite itself.
 */
export interface SqliteTransaction {
  /** One statement for one SQL text, however often it is asked for. */
  prepare<Parameters extends unknown[] = unknown[], Row = unknown>(
    sql: string,
  ): Statement<Parameters, Row>;
}

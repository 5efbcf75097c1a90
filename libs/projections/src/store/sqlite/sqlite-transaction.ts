import type { Statement } from 'better-sqlite3';

/**
 * What a projection writes through: better-sqlite3's own statements, compiled once a connection and kept. A query builder would build and compile each
 * statement for each event: measured, an upsert costs 1.4 µs this way and 27 µs through Kysely (docs/adr/0009).
 */
export interface SqliteTransaction {
  /** One statement for one SQL text, however often it is asked for. */
  prepare<Parameters extends unknown[] = unknown[], Row = unknown>(
    sql: string,
  ): Statement<Parameters, Row>;
}

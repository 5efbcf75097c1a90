import type { SqlProjection } from '../../projection.js';
import { isPrepared, markCatchingUp } from './sqlite-bookkeeping.js';
import type { SqliteConnection } from './sqlite-connection.js';

const TABLE = `
  CREATE TABLE holdfast_projection (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    log_id TEXT,
    position INTEGER NOT NULL DEFAULT 0,
    timeline TEXT,
    token INTEGER NOT NULL DEFAULT 0,
    owner TEXT,
    lease_until INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    error TEXT
  ) STRICT
`;

/** Makes the projection's tables and its position in one transaction, unless they are there. Whether it has made them. */
export function prepareGeneration<Transaction>(
  connection: SqliteConnection,
  projection: SqlProjection<Transaction>,
): boolean {
  if (isPrepared(connection)) return false;
  connection.prepare('BEGIN IMMEDIATE').run();
  try {
    // Another worker may have been faster to the write lock.
    const isMade = !isPrepared(connection);
    if (isMade) {
      for (const statement of [...projection.tables, TABLE]) connection.database.exec(statement);
      connection
        .prepare('INSERT INTO holdfast_projection (id, name, version) VALUES (1, ?, ?)')
        .run(projection.name, projection.version);
      markCatchingUp(connection);
    }
    connection.prepare('COMMIT').run();
    return isMade;
  } catch (error) {
    connection.rollback();
    throw error;
  }
}

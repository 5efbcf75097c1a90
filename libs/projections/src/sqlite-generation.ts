import type { Position } from '@holdfast/event-store';
import { defined } from '@holdfast/kernel';
import { Kysely, SqliteDialect } from 'kysely';
import type { FeedCursor } from './event-feed.js';
import type { SqlProjection } from './projection.js';
import { SqliteConnection } from './sqlite-connection.js';

/** The projection's position and lease, in the same file and so in the same transactions as its tables. */
export interface Bookkeeping {
  readonly log_id: string | null;
  readonly position: number;
  readonly timeline: string | null;
  readonly token: number;
  readonly owner: string | null;
  readonly lease_until: number;
  readonly attempts: number;
  readonly error: string | null;
}

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
const EXISTS = `SELECT 1 FROM sqlite_schema WHERE name = 'holdfast_projection'`;
export const BOOKKEEPING = `
  SELECT log_id, position, timeline, token, owner, lease_until, attempts, error FROM holdfast_projection
`;

/** Whether a file's tables have been made. */
export function isPrepared(connection: SqliteConnection): boolean {
  return connection.prepare(EXISTS).get() !== undefined;
}

/** Makes the projection's tables and its position in one transaction, unless they are there. */
export async function prepareGeneration<Transaction>(
  connection: SqliteConnection,
  projection: SqlProjection<Transaction>,
): Promise<void> {
  if (isPrepared(connection)) return;
  connection.prepare('BEGIN IMMEDIATE').run();
  try {
    // Another worker may have been faster to the write lock.
    if (!isPrepared(connection)) {
      // Not destroyed afterwards: that would close the connection, which is not Kysely's.
      const schema = new Kysely<unknown>({
        dialect: new SqliteDialect({ database: connection.database }),
      });
      await projection.createTables(schema);
      connection.database.exec(TABLE);
      connection
        .prepare('INSERT INTO holdfast_projection (id, name, version) VALUES (1, ?, ?)')
        .run(projection.name, projection.version);
    }
    connection.prepare('COMMIT').run();
  } catch (error) {
    connection.rollback();
    throw error;
  }
}

export function bookkeepingOf(connection: SqliteConnection): Bookkeeping {
  return defined(
    connection.prepare<[], Bookkeeping>(BOOKKEEPING).get(),
    'the one row of a generation',
  );
}

export function cursorOf({ log_id, position, timeline }: Bookkeeping): FeedCursor | undefined {
  if (log_id === null || timeline === null) return undefined;
  return { logId: log_id, position: position as Position, timeline };
}

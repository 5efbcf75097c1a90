import SqliteDatabase, { type Database } from 'better-sqlite3';
import type { SqlProjection } from '../../projection.js';
import { changed, classified, tablesRefused } from '../../read-model.errors.js';
import { withoutSpace } from '../generations/definitions.js';
import { isPrepared, markCatchingUp } from './sqlite-bookkeeping.js';
import type { SqliteConnection } from './sqlite-connection.js';

type Tables = Pick<SqlProjection<unknown>, 'name' | 'version' | 'tables'>;

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
  connection.begin('IMMEDIATE');
  try {
    // Another worker may have been faster to the write lock.
    const isMade = !isPrepared(connection);
    if (isMade) {
      makeTables(connection.database, projection);
      connection.database.exec(TABLE);
      connection
        .prepare('INSERT INTO holdfast_projection (id, name, version) VALUES (1, ?, ?)')
        .run(projection.name, projection.version);
      markCatchingUp(connection);
    }
    connection.commit();
    return isMade;
  } catch (error) {
    connection.rollback();
    throw error;
  }
}

function makeTables(database: Database, { name, tables }: Tables): void {
  for (const statement of tables)
    try {
      database.exec(statement);
    } catch (error) {
      const isOfTheDisk = classified(database.name, error) !== error;
      throw isOfTheDisk ? error : tablesRefused(name, statement, error);
    }
}

const DEFINITIONS = `
  SELECT name, sql FROM sqlite_schema
  WHERE sql IS NOT NULL AND name NOT GLOB 'sqlite_*' AND name NOT GLOB 'holdfast_*'
`;
const wanted = new WeakMap<Tables, ReadonlyMap<string, string>>();

/**
 * SQLite keeps the statements that made a file's tables and indexes: they are those of the program, or its author has changed them and not the version.
 * Comments and white space do not count.
 *
 * @throws `READ_MODEL_CHANGED`.
 */
export function assertMadeBy({ database }: SqliteConnection, projection: Tables): void {
  const found = definitionsIn(database);
  const made = wanted.get(projection) ?? definitionsOf(projection);
  wanted.set(projection, made);
  const others = [...new Set([...found.keys(), ...made.keys()])].filter(
    (name) => found.get(name) !== made.get(name),
  );
  if (others.length > 0) throw changed(projection, others);
}

function definitionsOf(made: Tables): ReadonlyMap<string, string> {
  const database = new SqliteDatabase(':memory:');
  try {
    makeTables(database, made);
    return definitionsIn(database);
  } finally {
    database.close();
  }
}

function definitionsIn(database: Database): ReadonlyMap<string, string> {
  const rows = database.prepare<[], { name: string; sql: string }>(DEFINITIONS).all();
  return new Map(rows.map(({ name, sql }) => [name, withoutSpace(sql)]));
}

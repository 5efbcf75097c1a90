import { hash } from 'node:crypto';
import { setImmediate as yieldToOthers } from 'node:timers/promises';
import type { ReadModelDigest, TableDigest } from '../../read-model-store.js';
import { RowSum, type RowValue } from '../generations/row-sum.js';
import type { SqliteConnection } from './sqlite-connection.js';
import { bookkeepingOf, cursorOf } from './sqlite-bookkeeping.js';

const TABLES = `
  SELECT name FROM sqlite_schema
  WHERE type = 'table' AND name NOT GLOB 'sqlite_*' AND name NOT GLOB 'holdfast_*'
  ORDER BY name
`;
const ROWS_A_TURN = 5_000;

/** A hash over all rows of all tables. All of it sees one moment of the file. */
export async function digestOf(connection: SqliteConnection): Promise<ReadModelDigest> {
  connection.begin('DEFERRED');
  try {
    const cursor = cursorOf(bookkeepingOf(connection));
    const tables: Record<string, TableDigest> = {};
    const names = connection.prepare<[], { name: string }>(TABLES).all();
    for (const { name } of names) tables[name] = await digestOfTable(connection, name);
    return { cursor, tables, sha256: hash('sha256', JSON.stringify(tables)) };
  } finally {
    connection.rollback();
  }
}

async function digestOfTable(connection: SqliteConnection, table: string): Promise<TableDigest> {
  const statement = connection.database.prepare(`SELECT * FROM "${table}"`);
  const columns = statement.columns().map(({ name }) => name);
  const sum = new RowSum();
  for (const row of statement.raw(true).safeIntegers(true).iterate()) {
    sum.add(row as RowValue[]);
    if (sum.rows % ROWS_A_TURN === 0) await yieldToOthers();
  }
  return sum.digest(columns);
}

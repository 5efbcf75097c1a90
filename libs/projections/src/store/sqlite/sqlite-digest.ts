import { createHash, hash } from 'node:crypto';
import { setImmediate as yieldToOthers } from 'node:timers/promises';
import type { ReadModelDigest, TableDigest } from '../../read-model-store.js';
import type { SqliteConnection } from './sqlite-connection.js';
import { bookkeepingOf, cursorOf } from './sqlite-bookkeeping.js';

type Value = bigint | number | string | Buffer | null;

const TABLES = `
  SELECT name FROM sqlite_schema
  WHERE type = 'table' AND name NOT GLOB 'sqlite_*' AND name NOT GLOB 'holdfast_*'
  ORDER BY name
`;
const ROWS_A_TURN = 5_000;
const MODULUS = 1n << 256n;

/**
 * A hash over all rows of all tables, in any order: the sum of the rows' SHA-256 modulo 2^256, which, unlike an exclusive or,
 * also notices a row that is there twice. All of it sees one moment of the file.
 */
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
  let sum = 0n;
  let rows = 0;
  for (const row of statement.raw(true).safeIntegers(true).iterate()) {
    sum = (sum + hashOfRow(row as Value[])) % MODULUS;
    rows += 1;
    if (rows % ROWS_A_TURN === 0) await yieldToOthers();
  }
  const text = `${JSON.stringify(columns)} ${rows} ${sum.toString(16)}`;
  return { rows, sha256: hash('sha256', text) };
}

function hashOfRow(row: readonly Value[]): bigint {
  const sha256 = createHash('sha256');
  for (const value of row) {
    const bytes = Buffer.isBuffer(value) ? value : Buffer.from(String(value));
    // Type and length first, so that no two rows are written the same way.
    sha256.update(`${typeName(value)}${bytes.length}:`).update(bytes);
  }
  return BigInt(`0x${sha256.digest('hex')}`);
}

function typeName(value: Value): string {
  if (value === null) return 'null';
  return Buffer.isBuffer(value) ? 'blob' : typeof value;
}

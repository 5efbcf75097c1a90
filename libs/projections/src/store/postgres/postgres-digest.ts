import { hash } from 'node:crypto';
import { escapeIdentifier } from 'pg';
import type { FeedCursor } from '../../event-feed.js';
import type { ReadModelDigest, TableDigest } from '../../read-model-store.js';
import { RowSum } from '../generations/row-sum.js';
import type { PostgresSession } from './postgres-session.js';

const ROWS_A_TURN = 5_000;
/** Values are compared as the server writes them, which these settle. */
const AS_TEXT = `
  SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO'; SET LOCAL IntervalStyle = 'iso_8601';
  SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1
`;

/** The names of the tables in a schema, quoted, in their order. */
export async function tablesOf(
  session: PostgresSession,
  schema: string,
): Promise<readonly string[]> {
  const found = await session.rows<{ readonly name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition
     AND relnamespace = to_regnamespace(quote_ident($1)) ORDER BY relname COLLATE "C"`,
    [schema],
  );
  return found.map(({ name }) => `${escapeIdentifier(schema)}.${escapeIdentifier(name)}`);
}

/** A hash over all rows of all tables of a schema, within a transaction that sees one moment. */
export async function digestOf(
  session: PostgresSession,
  schema: string,
  cursor: FeedCursor | undefined,
): Promise<ReadModelDigest> {
  await session.runAll(AS_TEXT);
  const tables: Record<string, TableDigest> = {};
  for (const table of await tablesOf(session, schema))
    tables[nameOf(table)] = await digestOfTable(session, table);
  return { cursor, tables, sha256: hash('sha256', JSON.stringify(tables)) };
}

async function digestOfTable(session: PostgresSession, table: string): Promise<TableDigest> {
  await session.run(`DECLARE holdfast_rows CURSOR FOR SELECT * FROM ${table}`);
  const sum = new RowSum();
  for (;;) {
    const { rows, fields } = await session.texts(`FETCH ${ROWS_A_TURN} FROM holdfast_rows`);
    for (const row of rows) sum.add(row);
    if (rows.length === ROWS_A_TURN) continue;
    await session.run('CLOSE holdfast_rows');
    return sum.digest(fields.map(({ name }) => name));
  }
}

function nameOf(table: string): string {
  return table.slice(table.indexOf('.') + 2, -1).replaceAll('""', '"');
}

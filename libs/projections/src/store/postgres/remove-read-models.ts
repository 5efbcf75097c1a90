import { escapeIdentifier } from 'pg';
import { isRemoved } from './postgres-errors.js';
import { type PostgresConnection, PostgresSession, schemaOf } from './postgres-session.js';

/** Removes a catalog and all tables that it names, of every projection: for one that was made for a while. Nobody works on it any more. Throws `READ_MODEL_UNAVAILABLE`. */
export async function removeReadModels(connection: PostgresConnection): Promise<void> {
  const session = await PostgresSession.open(connection);
  try {
    const catalog = escapeIdentifier(schemaOf(connection));
    const tables = await session
      .rows<{ readonly schema: string }>(`SELECT schema FROM ${catalog}.generation`)
      .catch((error: unknown) => {
        if (isRemoved(error)) return [];
        throw error;
      });
    for (const schema of [...tables.map((row) => escapeIdentifier(row.schema)), catalog])
      await session.run(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
  } finally {
    await session.close();
  }
}

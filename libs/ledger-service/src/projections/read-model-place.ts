import { CodedError, errorCode, errorMessage } from '@holdfast/kernel';
import type { ReadModelStore } from '@holdfast/projections';
import type { PostgresConnection } from '@holdfast/projections/postgres';
import { SqliteReadModelStore } from '@holdfast/projections/following';
import { ledgerProjection } from './ledger.projection.js';

/** Where the ledger's read model is: in files of the directory, or in PostgreSQL. Plain data, so that threads can be told. */
export interface ReadModelPlace {
  readonly readModelDirectory: string;
  readonly postgres?: PostgresConnection | undefined;
}

/** As it is configured: SQLite where there is no URL. */
export function readModelPlace(
  { readModelDirectory }: { readonly readModelDirectory: string },
  { url, schema }: { readonly url: string; readonly schema: string },
): ReadModelPlace {
  return { readModelDirectory, postgres: url === '' ? undefined : { url, schema } };
}

/** What it can be said of before anything is opened; told as people read it, without user and password. Throws `POSTGRES_CLIENT_MISSING`, `POSTGRES_URL_INVALID`. */
export async function assertReadModelPlace({
  readModelDirectory,
  postgres,
}: ReadModelPlace): Promise<string> {
  if (postgres === undefined) return readModelDirectory;
  const { postgresPlaceOf } = await loadPostgres();
  return postgresPlaceOf(postgres);
}

/** Throws `READ_MODEL_UNAVAILABLE`, `READ_MODEL_DAMAGED`, `POSTGRES_CLIENT_MISSING`, `POSTGRES_URL_INVALID`. */
export async function openLedgerStore({
  readModelDirectory: directory,
  postgres,
}: ReadModelPlace): Promise<ReadModelStore<unknown>> {
  if (postgres === undefined)
    return SqliteReadModelStore.open({ directory, projection: ledgerProjection });
  const { openPostgresLedgerStore } = await loadPostgres();
  return openPostgresLedgerStore(postgres);
}

/** What needs `pg`, loaded by those alone whose read model is there. */
export async function loadPostgres(): Promise<typeof import('./postgres/postgres-ledger.js')> {
  try {
    return await import('./postgres/postgres-ledger.js');
  } catch (error) {
    const isMissing =
      errorCode(error) === 'ERR_MODULE_NOT_FOUND' && errorMessage(error).includes(`'pg'`);
    if (!isMissing) throw error;
    throw new CodedError(
      'POSTGRES_CLIENT_MISSING',
      `HOLDFAST_READ_MODEL_URL is set, and the package pg is not installed: npm install pg (${errorMessage(error)})`,
    );
  }
}

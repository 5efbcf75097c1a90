import { CodedError } from '@holdfast/kernel';
import { randomBytes } from 'node:crypto';
import {
  type CompareReadModelOptions,
  type ReadModelStore,
  type ReadModelVerification,
  compareReadModel,
} from '@holdfast/projections';
import {
  type PostgresConnection,
  PostgresReadModel,
  PostgresReadModelStore,
  placeOf,
  removeReadModels,
} from '@holdfast/projections/postgres';
import { postgresLedgerProjection as projection } from './postgres-ledger.projection.js';

/* The ledger's read model in PostgreSQL, for those who write it and those who read it. */

/** For people to read, without user and password. Throws `POSTGRES_URL_INVALID`. */
export function postgresPlaceOf(connection: PostgresConnection): string {
  try {
    return placeOf(connection);
  } catch (error) {
    // What is wrong with a URL is told without the URL, and without the error, which may quote it.
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
    throw new CodedError(
      'POSTGRES_URL_INVALID',
      `HOLDFAST_READ_MODEL_URL cannot be used: it is no URL as PostgreSQL has them, or names a file that cannot be read${code}`,
    );
  }
}

/** Throws `POSTGRES_URL_INVALID`. */
export function openPostgresLedgerStore(connection: PostgresConnection): ReadModelStore<unknown> {
  postgresPlaceOf(connection);
  return PostgresReadModelStore.open({ ...connection, projection });
}

/** Throws `POSTGRES_URL_INVALID`. */
export function openPostgresLedger(
  connection: PostgresConnection,
  limits: { readonly connectionsMax: number; readonly statementMillisMax: number },
): PostgresReadModel {
  postgresPlaceOf(connection);
  return PostgresReadModel.open({ ...connection, ...limits, projection });
}

/** As `verifyReadModel`: makes the read model a second time in the same database, in schemas of its own, which are removed again. */
export async function comparePostgresLedger(
  connection: PostgresConnection,
  options: Pick<CompareReadModelOptions, 'source' | 'onProgress' | 'signal'>,
): Promise<ReadModelVerification | undefined> {
  const beside = { ...connection, schema: `verify${randomBytes(6).toString('hex')}` };
  const store = openPostgresLedgerStore(connection);
  let made: ReadModelStore<unknown> | undefined;
  try {
    const scratch = () => Promise.resolve((made = openPostgresLedgerStore(beside)));
    return await compareReadModel({ ...options, store, scratch });
  } finally {
    await store.close();
    await made?.close();
    if (made !== undefined) await removeReadModels(beside);
  }
}

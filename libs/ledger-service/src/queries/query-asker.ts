import { type ReadModelPlace, loadPostgres } from '../projections/read-model-place.js';
import type { QueryAsker } from './ledger-queries.js';
import { QueryThreads } from './query-threads.js';

/** Who answers from the read model at a place: threads from SQLite's files, or a server. Throws `POSTGRES_CLIENT_MISSING`, `POSTGRES_URL_INVALID`. */
export async function queryAsker({
  readModelDirectory,
  postgres,
}: ReadModelPlace): Promise<QueryAsker> {
  if (postgres === undefined) return new QueryThreads({ readModelDirectory });
  await loadPostgres();
  const { PostgresQueries } = await import('./postgres/postgres-queries.js');
  return new PostgresQueries(postgres);
}

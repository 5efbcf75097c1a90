/**
 * Read models in PostgreSQL, for any number of workers and query services. Needs `pg`; nothing else loads it.
 *
 * @module
 */
export {
  PostgresReadModel,
  type PostgresReadModelOptions,
  type PostgresSnapshot,
} from '../store/postgres/postgres-read-model.js';
export {
  PostgresReadModelStore,
  type PostgresReadModelStoreOptions,
} from '../store/postgres/postgres-read-model-store.js';
export { removeReadModels } from '../store/postgres/remove-read-models.js';
export { type PostgresConnection, placeOf } from '../store/postgres/postgres-session.js';
export type { PostgresTransaction } from '../store/postgres/postgres-transaction.js';

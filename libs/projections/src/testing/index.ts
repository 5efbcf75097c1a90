/** For tests of whatever keeps its read models in PostgreSQL. */
export { describeWithPostgres, newSchema } from './describe-postgres.js';
export { PostgresServer, canRunPostgres } from './postgres-server.js';

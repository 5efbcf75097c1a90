import { describeWithPostgres, newSchema } from '../../testing/describe-postgres.js';
import type { PostgresServer } from '../../testing/postgres-server.js';
import { describeQuarantine } from '../../testing/quarantine.contract.js';
import { postgresTally } from '../../testing/postgres-tally.js';
import {
  GRACE_UNDER_TEST_MILLIS,
  LEASE_UNDER_TEST_MILLIS,
  OLDER_VERSION_UNDER_TEST_MILLIS,
  type ReadModelUnderTest,
  type TallyRow,
  TestClock,
  describeReadModelStore,
} from '../../testing/read-model.contract.js';
import { PostgresReadModel } from './postgres-read-model.js';
import { PostgresReadModelStore } from './postgres-read-model-store.js';
import type { PostgresTransaction } from './postgres-transaction.js';

describeWithPostgres('PostgreSQL', (server) => {
  describeReadModelStore('PostgreSQL', () => Promise.resolve(subjectIn(server(), newSchema())));
  describeQuarantine('PostgreSQL', () => Promise.resolve(subjectIn(server(), newSchema())));
});

function subjectIn(
  server: PostgresServer,
  schema: string,
): ReadModelUnderTest<PostgresTransaction> {
  const clock = new TestClock();
  const place = { url: server.url(), schema };
  return {
    clock,
    tally: postgresTally,
    open: (projection) =>
      PostgresReadModelStore.open({
        ...place,
        projection,
        clock,
        leaseMillis: LEASE_UNDER_TEST_MILLIS,
        graceMillis: GRACE_UNDER_TEST_MILLIS,
        olderVersionMillis: OLDER_VERSION_UNDER_TEST_MILLIS,
      }),
    rows: async (version = 1) => {
      const model = PostgresReadModel.open({ ...place, projection: { name: 'tally', version } });
      const rows = (await model.ready())
        ? await model.read((now) => now.query<TallyRow>('SELECT * FROM tally ORDER BY stream'))
        : undefined;
      await model.close();
      return rows;
    },
    // Killed workers leave what the server has committed, and nobody's locks.
    afterCrash: async () => {
      const copy = newSchema();
      await copySchemas(server, schema, copy);
      return subjectIn(server, copy);
    },
    dispose: async () => {
      for (const name of await schemasOf(server, schema))
        await server.query(`DROP SCHEMA ${name} CASCADE`);
    },
  };
}

async function schemasOf(server: PostgresServer, schema: string): Promise<readonly string[]> {
  const rows = await server.query(
    `SELECT nspname AS name FROM pg_namespace WHERE nspname = '${schema}' OR nspname LIKE '${schema}\\_%'`,
  );
  return (rows as { readonly name: string }[]).map(({ name }) => name);
}

async function copySchemas(server: PostgresServer, from: string, to: string): Promise<void> {
  for (const schema of await schemasOf(server, from)) {
    const copy = schema.replace(from, to);
    const tables = await server.query(
      `SELECT tablename AS name FROM pg_tables WHERE schemaname = '${schema}'`,
    );
    await server.query(`CREATE SCHEMA ${copy}`);
    for (const { name } of tables as { readonly name: string }[])
      await server.query(
        `CREATE TABLE ${copy}.${name} (LIKE ${schema}.${name} INCLUDING ALL);
         INSERT INTO ${copy}.${name} SELECT * FROM ${schema}.${name}`,
      );
  }
  await server.query(
    `UPDATE ${to}.generation SET schema = replace(schema, '${from}', '${to}');
     SELECT setval(pg_get_serial_sequence('${to}.generation', 'id'), 1000)`,
  );
}

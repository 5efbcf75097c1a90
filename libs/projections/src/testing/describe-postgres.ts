import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { PostgresServer, canRunPostgres } from './postgres-server.js';

/**
 * Tests that need a PostgreSQL server: one for all of them, started first and ended at last. Where there is none for the platform they are reported as skipped, by name; with
 * `HOLDFAST_REQUIRE_ALL=1` that fails instead.
 */
export function describeWithPostgres(
  name: string,
  tests: (server: () => PostgresServer) => void,
): void {
  if (!canRunPostgres()) {
    describe(name, () => {
      if (process.env['HOLDFAST_REQUIRE_ALL'] !== '1')
        it.skip('needs a PostgreSQL server for this platform', () => undefined);
      else
        it('needs a PostgreSQL server for this platform', () => {
          throw new Error('HOLDFAST_REQUIRE_ALL is set, and there is none');
        });
    });
    return;
  }
  describe(name, () => {
    let server: PostgresServer | undefined;
    beforeAll(async () => {
      server = await PostgresServer.start();
    });
    afterAll(() => server?.dispose());
    tests(() => server!);
  });
}

/** A place of its own on the one server. */
export function newSchema(): string {
  return `t${randomUUID().replaceAll('-', '').slice(0, 12)}`;
}
